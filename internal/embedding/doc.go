// Package embedding turns texts into vectors whose cosine says how alike they
// are: by a local model that is part of the program, or by a server that speaks
// the OpenAI protocol.
//
// The local model knows one vector for each word of the code terms and one for
// each group of letters, for words that it never saw. They were made by Train
// from the terms alone: words that lead to the same codes lie close together.
// It needs no network and gives the same bits on every machine, because it adds
// integers.
//
// local.model (local@1) was made by eval.TrainVectors from the terms of
// icd10cm-2026, icd10cm-tabular-2021, icd10cm-index-2025 and the tables of
// 2026: 62,536 groups, 6 epochs, 14,000 words and 8,000 letter groups of 256
// numbers.
//
// The package imports lexicon and the OpenAI client, reads its embedded model
// file, and logs nothing.
package embedding
