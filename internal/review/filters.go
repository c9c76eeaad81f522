package review

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"chartcode/internal/coding"
)

const maxFilterName = 80 // characters

// Filters gives the worklists that a user saved and those that are shared, the
// own first.
func (s *Service) Filters(ctx context.Context, u coding.User) ([]coding.SavedFilter, error) {
	out, err := s.store.SavedFilters(ctx, u.Login)
	if err != nil {
		return nil, fmt.Errorf("review: read the saved filters: %w", err)
	}
	return out, nil
}

// SaveFilter saves a worklist under a name, in place of the one to which the user
// gave that name before, and gives its id. Cursor and Limit are not kept.
func (s *Service) SaveFilter(ctx context.Context, u coding.User, name string, shared bool, q coding.WorklistQuery) (int64, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > maxFilterName || (Act{Key: name}).badText() {
		return 0, ErrInput
	}
	q.Cursor, q.Limit = "", 0
	if err := checkQuery(&q); err != nil {
		return 0, err
	}
	id, err := s.store.PutFilter(ctx, coding.SavedFilter{Owner: u.Login, Name: name, Shared: shared, Query: q})
	if err != nil {
		return 0, fmt.Errorf("review: save a filter: %w", err)
	}
	return id, nil
}

// DeleteFilter removes a filter of the user; managers and administrators may
// remove shared ones of others too.
func (s *Service) DeleteFilter(ctx context.Context, u coding.User, id int64) error {
	found, err := s.store.DeleteFilter(ctx, id, u.Login, u.Role == coding.RoleManager || u.Role == coding.RoleAdmin)
	switch {
	case err != nil:
		return fmt.Errorf("review: remove a filter: %w", err)
	case !found:
		return ErrNotFound
	}
	return nil
}
