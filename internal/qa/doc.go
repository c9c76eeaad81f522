// Package qa is what auditors do about the quality of codes: they draw random
// samples of finished reviews, have them coded again by somebody who sees nothing
// of the first coding, judge the differences, and learn from that how far coders
// agree, how often each is right, and in which chapters they need training. Coders
// see the findings on their own codes and answer them.
//
// Practice notes measure automation bias: gold notes with suggestions among which
// plainly wrong ones are seeded, at a rate that the site sets, and how many of
// those are accepted.
//
// Neither a recoding nor practice is an item of the worklist. Both live in tables of
// their own (coding.Recoding), so that nothing of them is announced, exported,
// learned from or counted as work.
//
// # Blindness
//
// Who codes a case again has neither given its codes nor decided on its item nor
// ever looked at it: the audit trail tells. What a recoding's page shows is the
// notes as they were when the sample was drawn, and no code. As long as the
// recoding is not finished, its coder is refused the item (review.ErrBlind) and the
// case. Who judges sees codings side by side without names, in an order that does
// not tell who gave which, and has done neither of them.
//
// Drift compares what coders do with suggestions week by week with a reference
// window. The figures are those of eval/measure; this package brings them what is
// stored. It knows no SQL and no HTTP. Its errors and events hold no note text.
package qa
