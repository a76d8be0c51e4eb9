package password

import (
	"bytes"
	"testing"

	"golang.org/x/crypto/argon2"
)

func keyOf(p Params, password, salt []byte, length int) []byte {
	dirty := make([]block, p.blocks())
	for i := range dirty {
		dirty[i][i%blockWords] = ^uint64(0)
	}
	return p.key(dirty, password, salt, length)
}

func sameAsLibrary(t *testing.T, p Params, password, salt []byte, length int) {
	t.Helper()
	got := keyOf(p, password, salt, length)
	want := argon2.IDKey(password, salt, p.Time, p.MemoryKiB, p.Threads, uint32(length))
	if !bytes.Equal(got, want) {
		t.Errorf("%+v, password %q, salt %q: %x, the library says %x", p, password, salt, got, want)
	}
}

func TestKeysAreThoseOfTheLibrary(t *testing.T) {
	for _, p := range []Params{
		{8, 1, 1}, {8, 3, 1}, {9, 1, 1}, {15, 2, 1}, {16, 1, 2}, {17, 2, 2}, {24, 4, 3}, {100, 3, 4},
		{512, 2, 1}, {513, 2, 1}, {1024, 1, 5}, {2080, 2, 1}, {1024, 1, 64},
	} {
		for _, length := range []int{16, 31, 32, 64} {
			sameAsLibrary(t, p, []byte("correct horse battery staple"), []byte("sixteen bytes ok"), length)
		}
		sameAsLibrary(t, p, nil, []byte("somesalt"), keySize)
		sameAsLibrary(t, p, bytes.Repeat([]byte{0, 0xff}, 1000), bytes.Repeat([]byte{0x80}, 64), keySize)
	}
	sameAsLibrary(t, DefaultParams, []byte("password"), []byte("somesalt"), keySize)
}

func FuzzKeysAreThoseOfTheLibrary(f *testing.F) {
	f.Add([]byte("password"), []byte("somesalt"), uint16(300), uint8(2), uint8(1))
	f.Add([]byte(""), []byte(""), uint16(64), uint8(1), uint8(4))
	f.Fuzz(func(t *testing.T, password, salt []byte, memory uint16, time, threads uint8) {
		p := Params{MemoryKiB: uint32(memory) % 2048, Time: uint32(time) % 5, Threads: threads % 9}
		if p.check() == nil {
			sameAsLibrary(t, p, password, salt, keySize)
		}
	})
}

func BenchmarkKey(b *testing.B) {
	memory := make([]block, DefaultParams.blocks())
	for b.Loop() {
		DefaultParams.key(memory, []byte("correct horse"), make([]byte, saltSize), keySize)
	}
}

func BenchmarkKeyOfTheLibrary(b *testing.B) {
	p := DefaultParams
	for b.Loop() {
		argon2.IDKey([]byte("correct horse"), make([]byte, saltSize), p.Time, p.MemoryKiB, p.Threads, keySize)
	}
}
