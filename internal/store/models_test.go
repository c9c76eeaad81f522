package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

func TestRankerModels(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	now := time.Now().UTC().Truncate(time.Microsecond)
	event := func(target string) coding.AuditEvent {
		return coding.AuditEvent{At: now, Actor: "console", Action: "model.learned", Target: target}
	}
	if v, from, err := s.ActiveRankerModel(ctx); v != 0 || !from.IsZero() || err != nil {
		t.Fatalf("an empty database uses %d from %v, %v", v, from, err)
	}
	model := coding.RankerModel{Version: 1001, Styles: []coding.Style{coding.Billing}, SHA256: strings.Repeat("a", 64),
		Record: []byte(`{"notes":3}`), Items: []int64{4, 5}, MadeAt: now, MadeBy: "console"}
	if err := s.SaveRankerModel(ctx, model, []byte("one"), event("local@1001")); err != nil {
		t.Fatal(err)
	}
	// A version that is taken is refused, and nothing of it stays.
	if err := s.SaveRankerModel(ctx, model, []byte("two"), event("again")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("the same version again gives %v", err)
	}
	second := model
	second.Version, second.Items = 1002, nil
	now = now.Add(time.Second)
	if err := s.SaveRankerModel(ctx, second, []byte("two"), event("local@1002")); err != nil {
		t.Fatal(err)
	}
	list, err := s.RankerModels(ctx)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d models, %v", len(list), err)
	}
	if m := list[0]; m.Version != 1001 || !slices.Equal(m.Items, model.Items) || string(m.Record) != `{"notes":3}` || !m.ActiveFrom.IsZero() || !slices.Equal(m.Styles, model.Styles) {
		t.Errorf("the first is %+v", m)
	}
	if m := list[1]; m.Version != 1002 || !m.ActiveFrom.Equal(now) {
		t.Errorf("the second is %+v", m)
	}
	if err := s.UseRankerModel(ctx, 1003, event("local@1003")); err == nil {
		t.Error("models that are not there can be chosen")
	}
	if err := s.UseRankerModel(ctx, 1001, event("local@1001 chosen")); err != nil {
		t.Fatal(err)
	}
	if v, _, err := s.ActiveRankerModel(ctx); v != 1001 || err != nil {
		t.Errorf("%d is used, %v", v, err)
	}
	if file, err := s.RankerModelFile(ctx, 1001); string(file) != "one" || err != nil {
		t.Errorf("the file is %q, %v", file, err)
	}
	if _, err := s.RankerModelFile(ctx, 7); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a file that is not there gives %v", err)
	}
	if err := s.UseRankerModel(ctx, 0, event("program")); err != nil {
		t.Fatal(err)
	}
	if v, from, err := s.ActiveRankerModel(ctx); v != 0 || from.IsZero() || err != nil {
		t.Errorf("%d is used from %v, %v", v, from, err)
	}
	var targets []string
	if _, err := s.SealAudit(ctx, 100, func(b [32]byte, ev coding.AuditEvent) [32]byte { targets = append(targets, ev.Target); return b }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"local@1001", "local@1002", "local@1001 chosen", "program"}; !slices.Equal(targets, want) {
		t.Errorf("the audit trail has %q, want %q", targets, want)
	}
	for _, sql := range []string{"DELETE FROM ranker_models", "UPDATE ranker_models SET file = ''", "DELETE FROM ranker_choices"} {
		if _, err := store.Pool(s).Exec(ctx, sql); err == nil {
			t.Errorf("%s is allowed", sql)
		}
	}
}
