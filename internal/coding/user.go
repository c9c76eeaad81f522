package coding

import "time"

// User is a person or service that signs in. Login never changes and is never
// given to somebody else: it is what decisions and the audit trail name.
type User struct {
	ID         int64
	Login      string // [a-z0-9][a-z0-9._-]{0,63}
	Name       string // as shown to others
	Role       UserRole
	Disabled   bool
	CreatedAt  time.Time
	LastSeenAt time.Time // zero: never signed in
}

var userRoles = []UserRole{RoleCoder, RoleAuditor, RoleManager, RoleAdmin, RoleService}

// UserRoles gives the roles in the order in which they are shown.
func UserRoles() []UserRole { return append([]UserRole(nil), userRoles...) }

// Valid reports whether r is a known role.
func (r UserRole) Valid() bool {
	for _, v := range userRoles {
		if r == v {
			return true
		}
	}
	return false
}

// MayReview reports whether the role may claim items and decide on codes.
func (r UserRole) MayReview() bool {
	return r == RoleCoder || r == RoleAdmin || r == RoleService
}

// MayRead reports whether the role may look at the text of notes.
func (r UserRole) MayRead() bool { return r.Valid() }

// MayRecode reports whether the role may code cases of audits again, and practise.
func (r UserRole) MayRecode() bool {
	return r == RoleCoder || r == RoleAuditor || r == RoleAdmin
}

// MayAudit reports whether the role may draw samples and judge codings.
func (r UserRole) MayAudit() bool { return r == RoleAuditor || r == RoleAdmin }

// MaySeeQuality reports whether the role may see evaluations and everybody's
// figures.
func (r UserRole) MaySeeQuality() bool {
	return r == RoleAuditor || r == RoleManager || r == RoleAdmin
}

// MaySubmit reports whether the role may send notes in.
func (r UserRole) MaySubmit() bool { return r == RoleService || r == RoleAdmin }

// SeesTeam reports whether the role may see everybody's figures.
func (r UserRole) SeesTeam() bool { return r == RoleManager || r == RoleAdmin }

// SeesFigures reports whether the role may see figures at all: everybody's, or, of
// those who review, their own.
func (r UserRole) SeesFigures() bool { return r.SeesTeam() || r.MayReview() }

// Session is a browser's stay of a user. Only the SHA-256 of its token is kept.
type Session struct {
	Digest    [32]byte
	User      User
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // whatever is done in between
}

// Token is a key with which a program uses the API as a user. Only the SHA-256
// of the key is kept.
type Token struct {
	ID         int64
	Digest     [32]byte
	User       User
	Label      string // what it is for, in its maker's words
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: no end
	RevokedAt  time.Time // zero: not revoked
	LastUsedAt time.Time // zero: never; to the minute
}
