package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"chartcode/internal/coding"
)

// touchEvery is how exactly the last use of a session or token is known.
const touchEvery = time.Minute

// SignIn checks a password and begins a session. Address is where the request
// came from, as IP or IP:port; it only serves to slow down guessing. The token
// goes into the cookie. The error is ErrSignIn or a *ThrottledError for what
// the user can mend.
func (s *Service) SignIn(ctx context.Context, login, password, address string) (token string, u coding.User, err error) {
	login = normalLogin(login)
	if len(login) > 64 {
		login = login[:64] // no such user; keeps the counters small
	}
	if wait := s.throttle.attempt(login, address, s.now()); wait > 0 {
		return "", coding.User{}, &ThrottledError{Wait: wait}
	}
	u, hash, found, err := s.store.UserByLogin(ctx, login)
	if err != nil {
		return "", coding.User{}, fmt.Errorf("auth: sign in: %w", err)
	}
	usable := found && !u.Disabled && hash != "" && u.Role != coding.RoleService
	if !usable {
		hash = s.decoy
	}
	ok, cost, err := s.verify(ctx, hash, password)
	if err != nil {
		return "", coding.User{}, err
	}
	if !ok || !usable {
		return "", coding.User{}, ErrSignIn
	}
	s.throttle.succeeded(login, address)
	if cost != s.cost {
		// Made with other settings: the password is at hand now, so renew it.
		ev := s.event(u.Login, "user.password_rehashed", u.Login)
		if renewed, err := s.hash(ctx, password); err != nil {
			return "", coding.User{}, err
		} else if _, err := s.store.SetPassword(ctx, u.Login, renewed, true, ev); err != nil {
			return "", coding.User{}, fmt.Errorf("auth: sign in: %w", err)
		}
	}
	return s.begin(ctx, u, "user.signed_in")
}

// SignInWithLink begins a session for the user of a link; see NewLink. The
// error is ErrLink when the link is not known to this process or its user may
// not sign in any more.
func (s *Service) SignInWithLink(ctx context.Context, link string) (token string, u coding.User, err error) {
	s.mu.Lock()
	login, ok := s.links[sha256.Sum256([]byte(link))]
	s.mu.Unlock()
	if !ok {
		return "", coding.User{}, ErrLink
	}
	u, _, found, err := s.store.UserByLogin(ctx, login)
	if err != nil {
		return "", coding.User{}, fmt.Errorf("auth: sign in with a link: %w", err)
	}
	if !found || u.Disabled {
		return "", coding.User{}, ErrLink
	}
	return s.begin(ctx, u, "user.signed_in_with_link")
}

func (s *Service) begin(ctx context.Context, u coding.User, action string) (string, coding.User, error) {
	token, digest := newSecret()
	now := s.now()
	session := coding.Session{Digest: digest, User: u, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.absolute)}
	if err := s.store.AddSession(ctx, session, s.event(u.Login, action, "")); err != nil {
		return "", coding.User{}, fmt.Errorf("auth: begin a session: %w", err)
	}
	return token, u, nil
}

// Authenticate tells whose session a cookie's token is. The error is
// ErrSignedOut when there is none, it has ended, or the user was disabled.
func (s *Service) Authenticate(ctx context.Context, token string) (coding.User, error) {
	if token == "" {
		return coding.User{}, ErrSignedOut
	}
	digest := sha256.Sum256([]byte(token))
	session, found, err := s.store.SessionByDigest(ctx, digest)
	if err != nil {
		return coding.User{}, fmt.Errorf("auth: look up a session: %w", err)
	}
	now := s.now()
	if !found || session.User.Disabled || !now.Before(session.ExpiresAt) || now.Sub(session.SeenAt) > s.idle {
		return coding.User{}, ErrSignedOut
	}
	if now.Sub(session.SeenAt) >= touchEvery {
		if err := s.store.TouchSession(ctx, digest, now); err != nil {
			return coding.User{}, fmt.Errorf("auth: renew a session: %w", err)
		}
	}
	return session.User, nil
}

// SignOut ends the session of a cookie's token, if there is one.
func (s *Service) SignOut(ctx context.Context, u coding.User, token string) error {
	if err := s.store.EndSession(ctx, sha256.Sum256([]byte(token)), s.event(u.Login, "user.signed_out", "")); err != nil {
		return fmt.Errorf("auth: sign out: %w", err)
	}
	return nil
}

// The names of the session's cookie. A browser takes the one with the prefix
// only over TLS, from the host itself, for all paths.
const (
	cookieName       = "chartcode_session"
	secureCookieName = "__Host-" + cookieName
)

// Cookie is the session's cookie with a token; with an empty token it deletes
// the browser's. Secure says whether the browser came over TLS. SameSite is
// Lax, not Strict, so that a link to an item in a message finds the user
// signed in; that nothing is changed from other sites is seen to by the web's
// cross-origin check.
func (s *Service) Cookie(token string, secure bool) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // G124: Secure is off only where the browser came without TLS, as to the demo on loopback
		Name: cookieName, Value: token, Path: "/", HttpOnly: true, Secure: secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(s.absolute / time.Second),
	}
	if secure {
		c.Name = secureCookieName
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// TokenFrom gives the session's token of a request; empty when it has none.
func (s *Service) TokenFrom(r *http.Request, secure bool) string {
	name := cookieName
	if secure {
		name = secureCookieName
	}
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *Service) verify(ctx context.Context, hash, password string) (bool, Cost, error) {
	if len(password) > passwordMaxBytes {
		password = "" // nobody's; the work stays the same
	}
	release, err := s.slot(ctx)
	if err != nil {
		return false, Cost{}, err
	}
	defer release()
	return verifyPassword(hash, password)
}

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	release, err := s.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return hashPassword(password, s.cost), nil
}

func (s *Service) slot(ctx context.Context) (release func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Service) event(actor, action, target string) coding.AuditEvent {
	return coding.AuditEvent{At: s.now(), Actor: actor, Action: action, Target: target}
}
