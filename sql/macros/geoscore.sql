-- geoscore(distance_km): GeoScore of one answer.
--
-- What    5000 exp(-d / 1492.7). NULL where the distance is NULL, not finite or negative; a mean over
--         truth rows gives 0 points to a missing answer: sum(coalesce(geoscore(d), 0)) / count(*).
-- Grain   scalar: one DOUBLE for each row.
-- Units   km in; 0 to 5000 points.
-- Source  OSV-5M (arXiv 2404.18873) and PIGEON (arXiv 2307.05845).
CREATE OR REPLACE MACRO geoscore(distance_km) AS
CASE
    WHEN isfinite(distance_km::DOUBLE) AND distance_km >= 0
        THEN 5000 * exp(-distance_km::DOUBLE / 1492.7::DOUBLE)
END;
