-- The same evaluation by hand: sums of whole numbers, half-even rounding on whole numbers, HJ 633—2012, HJ 663—2013.
-- $files is the list of parquet files of the lake's table `current`.
CREATE TEMP TABLE hours_of_days AS
SELECT site, factor, CAST(beijing AS DATE) AS date, CAST(sum(q) AS BIGINT) AS s, count(q) AS n
FROM (SELECT site, factor, (time AT TIME ZONE 'UTC') + INTERVAL 8 HOUR AS beijing,
             CAST(floor(value * 1e6 + 0.5) AS BIGINT) AS q FROM read_parquet($files))
GROUP BY ALL;

CREATE TEMP TABLE ozone AS
WITH hourly AS (
    SELECT site, CAST(beijing AS DATE) AS date, hour(beijing) AS h, q
    FROM (SELECT site, (time AT TIME ZONE 'UTC') + INTERVAL 8 HOUR AS beijing,
                 CAST(floor(value * 1e6 + 0.5) AS BIGINT) AS q FROM read_parquet($files) WHERE factor = 'a05024')
), wide AS (
    SELECT site, date, max(q) AS top, $hours FROM hourly GROUP BY site, date
), windows AS (
    SELECT site, date, top, $windows FROM wide
), largest AS (
    SELECT site, date, top, greatest($names) AS w, $counted AS k FROM windows
), rounded AS (
    SELECT *, $round(w,168)$ AS q FROM largest
)
SELECT site, date,
       CASE WHEN k >= 14 OR $round(q,1000000)$ > 160 THEN q END AS o3,
       CASE WHEN k >= 14 OR $round(q,1000000)$ > 160 THEN top END AS o3_1h
FROM rounded;

CREATE TEMP TABLE days AS
WITH means AS (
    SELECT site, factor, date, CASE WHEN n >= 20 THEN $round(s,n)$ END AS q FROM hours_of_days
), wide AS (
    SELECT site, date,
           max(q) FILTER (factor = 'a21026') AS so2, max(q) FILTER (factor = 'a21004') AS no2,
           max(q) FILTER (factor = 'a34002') AS pm10, max(q) FILTER (factor = 'a21005') AS co,
           max(q) FILTER (factor = 'a34004') AS pm25
    FROM means GROUP BY site, date
)
SELECT wide.*, o3, o3_1h FROM wide LEFT JOIN ozone USING (site, date);

CREATE TEMP TABLE daily AS
WITH tenths AS (
    SELECT site, date, so2, no2, pm10, co, pm25, o3,
           $round(so2,1000000)$ * 10 AS t_so2, $round(no2,1000000)$ * 10 AS t_no2, $round(pm10,1000000)$ * 10 AS t_pm10,
           $round(co,100000)$ AS t_co, $round(pm25,1000000)$ * 10 AS t_pm25,
           $round(o3,1000000)$ * 10 AS t_o3, $round(o3_1h,1000000)$ * 10 AS t_o3_1h
    FROM days
), single AS (
    SELECT site, date, so2, no2, pm10, co, pm25, o3,
           $index(t_so2,SO2/24h)$ AS i_so2, $index(t_no2,NO2/24h)$ AS i_no2, $index(t_pm10,PM10/24h)$ AS i_pm10,
           $index(t_co,CO/24h)$ AS i_co, $index(t_pm25,PM2.5/24h)$ AS i_pm25,
           greatest($index(t_o3,O3/8h)$, $index(t_o3_1h,O3/1h)$) AS i_o3
    FROM tenths
), judged AS (
    SELECT *, greatest(i_so2, i_no2, i_pm10, i_co, i_o3, i_pm25) AS aqi,
           (i_so2 IS NULL OR i_no2 IS NULL OR i_pm10 IS NULL OR i_co IS NULL OR i_o3 IS NULL OR i_pm25 IS NULL) AS absent
    FROM single
)
SELECT *, CASE WHEN aqi <= 50 THEN 1 WHEN aqi <= 100 THEN 2 WHEN aqi <= 150 THEN 3 WHEN aqi <= 200 THEN 4
               WHEN aqi <= 300 THEN 5 WHEN aqi IS NOT NULL THEN 6 END AS level,
       CASE WHEN aqi > 50 THEN concat_ws('、', CASE WHEN i_so2 = aqi THEN 'SO2' END, CASE WHEN i_no2 = aqi THEN 'NO2' END,
            CASE WHEN i_pm10 = aqi THEN 'PM10' END, CASE WHEN i_co = aqi THEN 'CO' END,
            CASE WHEN i_o3 = aqi THEN 'O3' END, CASE WHEN i_pm25 = aqi THEN 'PM2.5' END) END AS primary_pollutants
FROM judged;

CREATE TEMP TABLE years AS
WITH months AS (
    SELECT site, year(date) AS year, month(date) AS month,
           count(so2) AS so2, count(no2) AS no2, count(pm10) AS pm10, count(co) AS co, count(o3) AS o3, count(pm25) AS pm25
    FROM days GROUP BY ALL
), full_months AS (
    SELECT site, year, $full_months FROM months GROUP BY ALL
), statistics AS (
    SELECT site, year(date) AS year, $statistics,
           count(*) FILTER (aqi IS NOT NULL AND (NOT absent OR aqi > 100)) AS valid_days,
           count(*) FILTER (aqi <= 100 AND NOT absent) AS good_days,
           count(*) FILTER (aqi > 200) AS heavy_days
    FROM daily GROUP BY ALL
)
SELECT statistics.*, 100.0 * good_days / nullif(valid_days, 0) AS good_ratio,
       100.0 * heavy_days / nullif(valid_days, 0) AS heavy_ratio, full_months.* EXCLUDE (site, year)
FROM statistics LEFT JOIN full_months USING (site, year);
