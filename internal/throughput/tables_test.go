package throughput_test

import (
	"fmt"
	"strings"

	"chartcode/internal/throughput"
)

// tables compares the tables.
func (c *check) tables(f throughput.Filter, now string) {
	c.t.Helper()
	own := f.Coder != ""
	shares := "sum(acc)::float8 / nullif(sum(acc + mod + rej), 0)"
	outcome := "count(*), sum(notes)::bigint, " + each + ", " + shares
	lengths := "CASE WHEN bytes < 1000 THEN 'under 1,000' WHEN bytes < 3000 THEN '1,000 to 2,999' WHEN bytes < 10000 THEN '3,000 to 9,999' ELSE '10,000 and more' END"
	c.table("lengths", "SELECT "+lengths+", "+outcome+" FROM r WHERE "+c.fin+" GROUP BY 1")
	c.table("reasons", `SELECT CASE reason WHEN '' THEN 'no reason given' WHEN 'not_in_note' THEN 'Not in the note' WHEN 'ruled_out' THEN 'Negated or only suspected'
			WHEN 'history_only' THEN 'History only, not current' WHEN 'not_this_visit' THEN 'Not evaluated or treated in this encounter'
			WHEN 'less_specific' THEN 'Another code is more specific' WHEN 'integral' THEN 'Part of another coded condition'
			WHEN 'wrong_detail' THEN 'Wrong side, type, stage or encounter' WHEN 'other_person' THEN 'About another person'
			WHEN 'not_reportable' THEN 'Not to be reported by guideline or payer' ELSE 'Another reason' END,
			count(*), count(*)::float8 / sum(count(*)) OVER ()::float8
		FROM fates JOIN r ON r.id = fates.item_id AND fates.seq > first AND fates.seq < last WHERE fates.kind = 'reject' AND `+c.fin+" GROUP BY 1")
	c.table("outcomes", "SELECT eday::text, sum(acc + mod + rej)::bigint, sum(acc)::bigint, sum(mod)::bigint, sum(rej)::bigint, sum(added)::bigint FROM r WHERE "+c.fin+" GROUP BY 1")
	c.table("coders", `SELECT u.name, count(*), sum(notes)::bigint, sum(active), `+each+`, sum(notes)::float8 / nullif(sum(active) / 3600, 0), sum(acc + mod + rej)::bigint,
			`+shares+`, sum(mod)::float8 / nullif(sum(acc + mod + rej), 0), sum(rej)::float8 / nullif(sum(acc + mod + rej), 0), sum(added)::float8 / count(*),
			count(*) FILTER (WHERE disposition = 'returned')
		FROM r JOIN users u ON u.login = r.coder WHERE `+c.fin+" GROUP BY u.login, u.name")
	turnaround := func(took, cond string) string {
		return "SELECT " + reach(took) + " AS name, count(*) AS n FROM " + cond + " GROUP BY 1"
	}
	parts := "SELECT coalesce(a.name, b.name), coalesce(a.n, 0), coalesce(b.n, 0) FROM (" + turnaround("pg_temp.step(look)", "r WHERE look IS NOT NULL AND "+c.fin) + ") a FULL JOIN (" + turnaround("pg_temp.step(took)", "r WHERE "+c.fin) + ") b USING (name)"
	if own {
		c.table("turnaround", parts)
		c.table("specialties", "SELECT CASE WHEN specialty = '' THEN 'none given' ELSE specialty END, "+outcome+" FROM r WHERE "+c.fin+" GROUP BY 1")
		c.table("service", "SELECT source || '/' || setting, pg_temp.level(source, setting), count(*), count(*) FILTER (WHERE worked <= level), avg((worked <= level)::int)::float8, "+
			fmt.Sprintf(tookIn, "0.5", "took")+", "+fmt.Sprintf(tookIn, "0.9", "took")+" FROM r WHERE "+c.fin+" GROUP BY source, setting")
		return
	}
	c.table("turnaround", strings.Replace(parts, "coalesce(a.name, b.name), coalesce(a.n, 0), coalesce(b.n, 0)", "name, coalesce(a.n, 0), coalesce(b.n, 0), coalesce(d.n, 0)", 1)+
		" FULL JOIN ("+turnaround("pg_temp.step(took)", "sets WHERE mday "+c.made)+") d USING (name)")
	c.table("specialties", `SELECT CASE WHEN name = '' THEN 'none given' ELSE name END, coalesce(i.n, 0), coalesce(o.n, 0), coalesce(notes, 0), a, b, c, d
		FROM (SELECT specialty AS name, count(*) AS n FROM r WHERE n = 1 AND `+c.start+` GROUP BY 1) i
		FULL JOIN (SELECT specialty AS name, x.* FROM (SELECT specialty, `+outcome+` FROM r WHERE `+c.fin+` GROUP BY 1) x (specialty, n, notes, a, b, c, d)) o USING (name)`)
	c.table("service", `SELECT source || '/' || setting, pg_temp.level(source, setting), coalesce(o.n, 0), coalesce(o.good, 0), o.share, o.median, o.most, coalesce(w.n, 0), coalesce(w.late, 0)
		FROM (SELECT source, setting, count(*) AS n, count(*) FILTER (WHERE worked <= level) AS good, avg((worked <= level)::int)::float8 AS share, `+
		fmt.Sprintf(tookIn, "0.5", "took")+" AS median, "+fmt.Sprintf(tookIn, "0.9", "took")+" AS most FROM r WHERE "+c.fin+` GROUP BY 1, 2) o
		FULL JOIN (SELECT source, setting, count(*) AS n, count(*) FILTER (WHERE pg_temp.working(s, `+now+`) > level) AS late FROM r WHERE e IS NULL AND `+c.where+` GROUP BY 1, 2) w USING (source, setting)`)
	c.table("ages", `SELECT CASE width_bucket(extract(epoch FROM `+now+` - s)::float8, ARRAY[3600, 14400, 28800, 86400, 172800, 259200, 604800, 1209600, 2592000]::float8[])
			WHEN 0 THEN 'up to 1 h' WHEN 1 THEN '1 h to 4 h' WHEN 2 THEN '4 h to 8 h' WHEN 3 THEN '8 h to 1 d' WHEN 4 THEN '1 d to 2 d' WHEN 5 THEN '2 d to 3 d'
			WHEN 6 THEN '3 d to 7 d' WHEN 7 THEN '7 d to 14 d' WHEN 8 THEN '14 d to 30 d' ELSE 'over 30 d' END,
			count(*), count(*) FILTER (WHERE pg_temp.working(s, `+now+`) > level) FROM r WHERE e IS NULL AND `+c.where+" GROUP BY 1")
	c.table("hours", `SELECT lpad(h::text, 2, '0') || ':00', (SELECT count(*) FROM r WHERE n = 1 AND shour = h AND `+c.start+`), (SELECT count(*) FROM sets WHERE rhour = h AND rday `+c.made+`),
		(SELECT count(*) FROM r WHERE ehour = h AND `+c.fin+`), (SELECT coalesce(sum(notes), 0)::bigint FROM r WHERE ehour = h AND `+c.fin+`) FROM generate_series(0, 23) h`)
	days := fmt.Sprintf("(SELECT d::date AS d FROM generate_series(timestamp '%s', '%s', interval '1 day') d) days", f.From, f.To)
	c.table("days", `SELECT d::text, (SELECT count(*) FROM r WHERE n = 1 AND sday = d AND `+c.where+`), (SELECT count(*) FROM sets WHERE rday = d AND `+c.where+`), (SELECT count(*) FROM r WHERE n > 1 AND sday = d AND `+c.where+`),
			o.n, o.notes, o.good, o.median, (SELECT avg(degraded::int)::float8 FROM sets WHERE mday = d AND `+c.where+`), o.acc, (SELECT coalesce(sum(cost), 0) FROM sets WHERE mday = d AND `+c.where+`)
		FROM `+days+` CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(notes), 0)::bigint AS notes, avg((worked <= level)::int)::float8 AS good, `+
		fmt.Sprintf(tookIn, "0.5", "took")+" AS median, "+shares+" AS acc FROM r WHERE eday = d AND "+c.where+") o")
	c.table("models", "SELECT model, count(*), avg(degraded::int)::float8, sum(cost), avg(cost) FROM sets WHERE mday "+c.made+" GROUP BY 1")
	// The columns between are the models that there are.
	var columns []string
	rows, err := c.conn.Query(c.t.Context(), "SELECT DISTINCT model FROM sets WHERE mday "+c.made+" ORDER BY 1")
	if err != nil {
		c.t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			c.t.Fatal(err)
		}
		columns = append(columns, fmt.Sprintf("(SELECT coalesce(sum(cost), 0) FROM sets WHERE mday = d AND model = '%s' AND %s)", name, c.where))
	}
	rows.Close()
	columns = append(columns, "coalesce((SELECT nano_usd / 1e9 FROM llm_spending WHERE day = d), 0)::float8")
	c.table("costs", "SELECT d::text, (SELECT avg(degraded::int)::float8 FROM sets WHERE mday = d AND "+c.where+"), "+strings.Join(columns, ", ")+" FROM "+days)
}

// reach names the class of turnaround of a time in seconds.
func reach(took string) string {
	out := "CASE"
	for _, c := range []struct {
		seconds int
		name    string
	}{
		{10, "10 s"}, {30, "30 s"}, {60, "1 min"}, {300, "5 min"}, {900, "15 min"}, {3600, "1 h"}, {7200, "2 h"}, {14400, "4 h"}, {28800, "8 h"}, {43200, "12 h"},
		{86400, "1 d"}, {172800, "2 d"}, {259200, "3 d"}, {604800, "7 d"}, {1209600, "14 d"},
	} {
		out += fmt.Sprintf(" WHEN %s <= %d THEN '%s'", took, c.seconds, c.name)
	}
	return out + " ELSE 'more' END"
}
