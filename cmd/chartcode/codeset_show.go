package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"chartcode/internal/codebook"
	"chartcode/internal/coding"
)

func codesetShowCommand(o *options) *cobra.Command {
	var lo lookOptions
	cmd := &cobra.Command{
		Use:   "show CODE",
		Short: "Show one code with all that is known of it",
		Long: `Shows a code's title, its place in the hierarchy, the notes that hold for it with the
level at which each stands, 7th characters, what stands below and beside it, HCC
category, Medicare Code Editor edits, the releases that have it and what changed
between them.`,
		Example: `  chartcode codeset show E11.22
  chartcode codeset show s52501a --date 2025-03-14
  chartcode codeset show J1885 --system HCPCS --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return lo.look(cmd.Context(), o, func(book *codebook.Book) error {
				e, err := book.Code(cmd.Context(), lo.system, args[0], lo.date)
				if err != nil {
					return err
				}
				if lo.asJSON {
					return json.NewEncoder(os.Stdout).Encode(e)
				}
				printEntry(os.Stdout, e)
				return nil
			})
		},
	}
	lo.addFlags(cmd)
	return cmd
}

// maxListed is how many codes a list shows; --json has all.
const maxListed = 40

func printEntry(out io.Writer, e codebook.Entry) {
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	what := "billable"
	if !e.Billable {
		what = "header"
	}
	p("%s  %s", e.Code.Code, e.Title)
	p("%s, %s %s", what, e.System, e.Release.Version)
	if !e.Valid {
		p("not in %s %s", e.System, e.Asked)
	}
	for _, n := range e.Notices {
		p("%s", n.Message)
	}
	section := func(title string) { p("\n%s", title) }
	if len(e.Place) > 0 {
		section("Place")
		for i, l := range e.Place {
			p("%s%s  %s", strings.Repeat("  ", i+1), l.Code, l.Title)
		}
		p("%s%s  %s", strings.Repeat("  ", len(e.Place)+1), e.Code.Code, e.Title)
	}
	if len(e.Notes) > 0 {
		section("Notes" + fileOf("tabular list", e.Files.Tabular))
		last := ""
		for _, n := range e.Notes {
			if head := n.Kind + " at " + n.At; head != last {
				from := ""
				if n.Inherited {
					from = ", inherited from " + n.Level + " " + n.At
				}
				p("  %s%s", codebook.KindName(n.Kind), from)
				last = head
			}
			p("    %s", n.Text)
		}
	}
	if len(e.Seventh) > 0 {
		section("7th character")
		for _, s := range e.Seventh {
			p("  %s  %s%s", s.Char, s.Meaning, optional("  ", s.Code))
		}
	}
	codes := func(title string, list []coding.Code) {
		if len(list) == 0 {
			return
		}
		section(title)
		for i, c := range list {
			if i == maxListed {
				p("  and %d more", len(list)-i)
				break
			}
			mark := " "
			if c.Code == e.Code.Code {
				mark = ">"
			}
			p("%s %s  %s", mark, c.Code, c.Title)
		}
	}
	codes("Below", e.Children)
	codes("Beside", e.Siblings)
	if e.System == coding.ICD10CM && e.Billable {
		section("Medicare")
		if e.Files.HCC != "" {
			p("  HCC category%s: %s", fileOf("", e.Files.HCC), none(strings.Join(e.HCC, ", ")))
		}
		if e.Files.MCE != "" {
			var edits []string
			for _, edit := range e.Edits {
				edits = append(edits, edit.Group+": "+edit.Text)
			}
			p("  Medicare Code Editor%s: %s", fileOf("", e.Files.MCE), none(strings.Join(edits, "; ")))
		}
		if e.Files.POA != "" {
			p("  Exempt from present-on-admission reporting%s: %s", fileOf("", e.Files.POA), map[bool]string{true: "yes", false: "no"}[e.POAExempt])
		}
	}
	if len(e.Terms) > 0 {
		section("Entries that lead to it")
		for _, t := range e.Terms {
			p("  %s (%s%s)", t.Text, t.Kind, map[bool]string{true: "", false: " to " + t.At}[t.At == e.Code.Code])
		}
	}
	section("Releases")
	for _, r := range e.Releases {
		state := "not in it"
		if r.Valid {
			state = map[bool]string{true: "billable", false: "header"}[r.Billable]
		}
		p("  %s from %s: %s", r.Version, r.From, state)
	}
	for _, c := range e.Changes {
		p("  %s", codebook.ChangeText(c))
	}
}

func fileOf(what, version string) string {
	if version == "" {
		return ""
	}
	return " (" + strings.TrimSpace(what+" "+version) + ")"
}

func optional(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func none(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
