-- region_accuracy(joined)
--
-- What    share of truth rows whose prediction lies in the right country, first-level region and
--         city. The denominator is the truth rows that have a label at that level: a photo in the
--         open sea has no country to get right. A prediction without a label is wrong. A city is
--         right only with its country and region, so that Paris, Texas is not Paris, France.
-- Grain   one row a level: country, admin1, city.
-- Units   accuracy and coverage are shares of the labelled truth rows in [0, 1], NULL where no
--         truth row has a label.
-- Input   joined: name of a relation, as text, with one row a truth row: country_code,
--         admin1_code, city and pred_country_code, pred_admin1_code, pred_city, as
--         geodata.cor.label_table gives them for the truth and for the prediction.
-- Source  country, region and city accuracy of OSV-5M (arXiv 2404.18873), from labels.
-- Example FROM region_accuracy('labelled');
CREATE OR REPLACE MACRO region_accuracy(joined) AS TABLE (
    WITH matched AS (
        SELECT
            *,
            coalesce(country_code = pred_country_code, false) AS same_country,
            admin1_code IS NOT DISTINCT FROM pred_admin1_code AS same_admin1
        FROM query_table(joined)
    ),

    levels AS (
        SELECT
            unnest([1, 2, 3]) AS level_order,
            unnest(['country', 'admin1', 'city']) AS level,
            count(*) AS truth_rows,
            unnest([count(country_code), count(admin1_code), count(city)]) AS labelled,
            unnest([
                count_if(country_code IS NOT NULL AND pred_country_code IS NOT NULL),
                count_if(admin1_code IS NOT NULL AND pred_admin1_code IS NOT NULL),
                count_if(city IS NOT NULL AND pred_city IS NOT NULL)
            ]) AS answered,
            unnest([
                count_if(same_country),
                count_if(same_country AND same_admin1 AND admin1_code IS NOT NULL),
                count_if(same_country AND same_admin1 AND coalesce(city = pred_city, false))
            ]) AS correct
        FROM matched
    )

    SELECT
        level,
        truth_rows,
        labelled,
        coalesce(answered, 0)::BIGINT AS answered,
        coalesce(correct, 0)::BIGINT AS correct,
        correct / nullif(labelled, 0) AS accuracy,
        answered / nullif(labelled, 0) AS coverage
    FROM levels
    ORDER BY level_order
);
