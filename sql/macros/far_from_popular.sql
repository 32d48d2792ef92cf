-- far_from_popular(photos, popular_cells, popular_points, radius_km): rows far from every one.
--
-- What    The rows of `photos` that are farther than radius_km from every popular point, by one
--         anti-join on a stored H3 cell: a row of an inside cell goes, a row of an ambiguous cell
--         is compared with the points that can decide it. A row exactly at the radius goes; a row
--         without a cell (no valid coordinate) stays, because no distance can judge it.
--         The relations are given by name, as text:
--         photos          cell (BIGINT, H3), lat, lon (DOUBLE, degrees), any other columns
--         popular_cells   cell, class ('inside' or 'ambiguous'): geodata.popular.cells
--         popular_points  cell, lat, lon: geodata.popular.cell_points, for the same radius
-- Grain   one row for each row of `photos` that stays, all its columns.
-- Units   degrees and km.
-- Source  Geo-R, arXiv 2601.00388, MP16-Hard (200 km); the predicate is sin2(d / 2R) <= sin2(t / 2R)
--         in the very operations of geodata.sphere.haversine_a, so that both agree to the row.
CREATE OR REPLACE MACRO far_from_popular(photos, popular_cells, popular_points, radius_km) AS TABLE (
    WITH covered AS (
        SELECT
            cell,
            NULL::DOUBLE AS lat,
            NULL::DOUBLE AS lon
        FROM query_table(popular_cells)
        WHERE class = 'inside'
        UNION ALL
        SELECT
            cell,
            lat,
            lon
        FROM query_table(popular_points)
    )

    SELECT photo.*
    FROM query_table(photos) AS photo
    ANTI JOIN covered
        ON photo.cell = covered.cell
        AND (
            covered.lat IS NULL
            OR least(
                1.0,
                sin((radians(covered.lat) - radians(photo.lat)) * 0.5)
                * sin((radians(covered.lat) - radians(photo.lat)) * 0.5)
                + cos(radians(photo.lat)) * cos(radians(covered.lat))
                * (
                    sin(radians(covered.lon - photo.lon) * 0.5)
                    * sin(radians(covered.lon - photo.lon) * 0.5)
                )
            )
            <= sin(least(radius_km / 6371.0, pi()) * 0.5)
            * sin(least(radius_km / 6371.0, pi()) * 0.5)
        )
);
