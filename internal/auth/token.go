package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// bearerPrefix marks our tokens, so that scanners for leaked secrets know them.
const bearerPrefix = "chartcode_"

// NewToken makes a bearer token with which a program acts as a user. It is
// shown once and never again. Lifetime 0 means no end.
func (s *Service) NewToken(ctx context.Context, by, login, label string, lifetime time.Duration) (bearer string, t coding.Token, err error) {
	if !shortText(label) || lifetime < 0 {
		return "", coding.Token{}, ErrName
	}
	u, err := s.User(ctx, login)
	if err != nil {
		return "", coding.Token{}, err
	}
	text, _ := newSecret()
	bearer = bearerPrefix + text
	t = coding.Token{Digest: sha256.Sum256([]byte(bearer)), User: u, Label: label, CreatedAt: s.now()}
	if lifetime > 0 {
		t.ExpiresAt = t.CreatedAt.Add(lifetime)
	}
	if t.ID, err = s.store.AddToken(ctx, t, s.event(by, "token.added", u.Login)); err != nil {
		return "", coding.Token{}, fmt.Errorf("auth: make a token: %w", err)
	}
	return bearer, t, nil
}

// AuthenticateBearer tells whose token it is. The error is ErrSignedOut when
// it is nobody's, has ended, was revoked, or its user was disabled.
func (s *Service) AuthenticateBearer(ctx context.Context, bearer string) (coding.User, error) {
	if !strings.HasPrefix(bearer, bearerPrefix) {
		return coding.User{}, ErrSignedOut
	}
	t, found, err := s.store.TokenByDigest(ctx, sha256.Sum256([]byte(bearer)))
	if err != nil {
		return coding.User{}, fmt.Errorf("auth: look up a token: %w", err)
	}
	now := s.now()
	if !found || t.User.Disabled || !t.RevokedAt.IsZero() || (!t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)) {
		return coding.User{}, ErrSignedOut
	}
	if now.Sub(t.LastUsedAt) >= touchEvery {
		if err := s.store.TouchToken(ctx, t.ID, now); err != nil {
			return coding.User{}, fmt.Errorf("auth: note the use of a token: %w", err)
		}
	}
	return t.User, nil
}

// Tokens gives all tokens, without their keys, the newest first.
func (s *Service) Tokens(ctx context.Context) ([]coding.Token, error) {
	tokens, err := s.store.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("auth: list tokens: %w", err)
	}
	return tokens, nil
}

// RevokeToken ends a token at once.
func (s *Service) RevokeToken(ctx context.Context, by string, id int64) error {
	found, err := s.store.RevokeToken(ctx, id, s.now(), s.event(by, "token.revoked", strconv.FormatInt(id, 10)))
	return outcome("revoke a token", found, err, ErrNoToken)
}
