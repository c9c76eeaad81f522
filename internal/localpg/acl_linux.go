package localpg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
)

// The form in which Linux keeps an access list: a version, then entries of tag, permissions and id,
// little-endian, ordered by tag and id (acl(5); linux/posix_acl_xattr.h).
const (
	aclAttribute = "system.posix_acl_access"
	aclVersion   = 2

	aclUserOwner  = 0x01
	aclUser       = 0x02
	aclGroupOwner = 0x04
	aclGroup      = 0x08
	aclMask       = 0x10
	aclOther      = 0x20

	aclExecute = 0x01
	aclNoID    = 0xffffffff
)

type aclEntry struct {
	Tag, Perm uint16
	ID        uint32
}

// grantPass adds "this user may pass" to a folder's access list. It fails where the file system has no
// access lists.
func grantPass(dir string, uid int) error {
	entries, err := readACL(dir)
	if err != nil {
		return err
	}
	return writeACL(dir, withPass(entries, uint32(uid)))
}

// withPass returns the entries with execute permission for a user, and a mask that lets it through.
func withPass(entries []aclEntry, uid uint32) []aclEntry {
	entries = slices.Clone(entries)
	at := slices.IndexFunc(entries, func(e aclEntry) bool { return e.Tag == aclUser && e.ID == uid })
	if at < 0 {
		entries = append(entries, aclEntry{Tag: aclUser, Perm: aclExecute, ID: uid})
	} else {
		entries[at].Perm |= aclExecute
	}
	// The mask limits named users and all groups. Where there was one it is kept and widened by what
	// is needed; a new one must not take anything from the owning group.
	at = slices.IndexFunc(entries, func(e aclEntry) bool { return e.Tag == aclMask })
	if at < 0 {
		mask := aclEntry{Tag: aclMask, Perm: aclExecute, ID: aclNoID}
		for _, e := range entries {
			if e.Tag == aclGroupOwner {
				mask.Perm |= e.Perm
			}
		}
		entries = append(entries, mask)
	} else {
		entries[at].Perm |= aclExecute
	}
	slices.SortStableFunc(entries, func(a, b aclEntry) int {
		if a.Tag != b.Tag {
			return int(a.Tag) - int(b.Tag)
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return entries
}

// readACL reads a folder's access list, or makes the one that its mode bits stand for.
func readACL(dir string) ([]aclEntry, error) {
	buffer := make([]byte, 64<<10)
	n, err := syscall.Getxattr(dir, aclAttribute, buffer)
	if errors.Is(err, syscall.ENODATA) {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, err
		}
		mode := uint16(info.Mode().Perm())
		return []aclEntry{
			{Tag: aclUserOwner, Perm: mode >> 6 & 7, ID: aclNoID},
			{Tag: aclGroupOwner, Perm: mode >> 3 & 7, ID: aclNoID},
			{Tag: aclOther, Perm: mode & 7, ID: aclNoID},
		}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the access list of %s: %w", dir, err)
	}
	if n < 4 || (n-4)%8 != 0 || binary.LittleEndian.Uint32(buffer) != aclVersion {
		return nil, fmt.Errorf("the access list of %s has an unknown form", dir)
	}
	entries := make([]aclEntry, (n-4)/8)
	if _, err := binary.Decode(buffer[4:n], binary.LittleEndian, entries); err != nil {
		return nil, fmt.Errorf("read the access list of %s: %w", dir, err)
	}
	return entries, nil
}

func writeACL(dir string, entries []aclEntry) error {
	content := binary.LittleEndian.AppendUint32(nil, aclVersion)
	content, err := binary.Append(content, binary.LittleEndian, entries)
	if err != nil {
		return fmt.Errorf("write the access list of %s: %w", dir, err)
	}
	if err := syscall.Setxattr(dir, aclAttribute, content, 0); err != nil {
		return fmt.Errorf("write the access list of %s: %w", dir, err)
	}
	return nil
}
