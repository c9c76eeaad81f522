// Package simulate invents the work of a team of coders over some weeks: notes that
// come in by source, setting, hour and day of the week, with more on Mondays and
// few on weekends; suggestions for them, worse and free on the day on which the LLM
// is out; and what coders do with them in their shifts. One coder accepts
// everything at once. From the same Config comes the same work.
//
// What it makes is written as real rows, so that pages, exports and figures read
// it like any other. Texts, names and patients are invented. It knows no SQL: Write
// gets finished stories.
package simulate
