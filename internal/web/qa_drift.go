package web

import (
	"net/http"
	"strconv"
	"strings"

	"chartcode/eval/report"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
)

type qaDriftView struct {
	qaFrame
	qa.Drift
	Shown   int // weeks asked for
	Choices []choice
	Charts  []report.Chart
}

func (s *server) qaDrift(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.qaSees(w, r, u) {
		return
	}
	v := qaDriftView{qaFrame: s.qaFrame(u, "drift"), Shown: number(r.URL.Query().Get("weeks"))}
	if v.Shown != 26 && v.Shown != 52 {
		v.Shown = 12
	}
	for _, n := range []int{12, 26, 52} {
		v.Choices = append(v.Choices, choice{Value: strconv.Itoa(n), Label: strconv.Itoa(n) + " weeks", Current: n == v.Shown})
	}
	var err error
	if v.Drift, err = s.Quality.RecentDrift(r.Context(), v.Shown); err != nil {
		s.fail(w, r, err)
		return
	}
	v.Charts = report.Drift(&v.Drifting, whyText)
	s.render(w, withUser(r, u), http.StatusOK, "qadrift", v)
}

// whyText puts a reason of a rejection in words.
func whyText(reason string) string {
	if label := rejectedText(coding.ReasonCode(reason)); label != "" {
		return strings.ToLower(label[:1]) + label[1:]
	}
	return reason
}
