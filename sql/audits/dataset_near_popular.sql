-- dataset_near_popular(hard, popular_cells, popular_points, radius_km)
--
-- What    rows of a hard set that lie within radius_km of a popular point, found through stored H3
--         cells: every row of an inside cell, and rows of an ambiguous cell that are near one of
--         the points that can decide it. A distance within 1 mm of the radius is no fault.
-- Grain   one row an offending row, all its columns.
-- Units   degrees and km.
-- Input   hard            name of a relation, as text, with cell (BIGINT, H3), lat and lon
--         popular_cells   cell, class ('inside' or 'ambiguous'): geodata.popular.cells
--         popular_points  cell, lat, lon: geodata.popular.cell_points, for the same radius
-- Source  Geo-R, arXiv 2601.00388, MP16-Hard (200 km).
-- Needs   sql/macros/haversine_a.sql, sql/macros/limit_a.sql
-- Example FROM dataset_near_popular('hard', 'popular_cells', 'popular_points', 200);
CREATE OR REPLACE MACRO dataset_near_popular(hard, popular_cells, popular_points, radius_km) AS TABLE (
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
    FROM query_table(hard) AS photo
    SEMI JOIN covered
        ON photo.cell = covered.cell
        AND (
            covered.lat IS NULL
            OR haversine_a(photo.lat, photo.lon, covered.lat, covered.lon)
            <= limit_a(radius_km - 1e-6, false)
        )
);
