package password

import (
	"encoding/binary"
	"hash"
	"math/bits"

	"golang.org/x/crypto/blake2b"
)

// This is Argon2id as RFC 9106 has it, on one thread: the lanes of a slice one after the other, in memory that
// the caller keeps. golang.org/x/crypto/argon2 starts a goroutine for every lane of every slice. Those run
// on any thread of the program, so a thread of low priority would only watch; and it takes fresh memory for each
// hash. The tests hold this to its results.

const (
	version    = 0x13
	argon2id   = 2 // the type y of RFC 9106 §3.2
	slices     = 4
	blockWords = 128
)

// A block is the unit of Argon2's memory, 1 KiB.
type block [blockWords]uint64

// blocks is m' of RFC 9106 §3.2: the memory in blocks, a multiple of four for each lane.
func (p Params) blocks() int {
	perSegment := p.MemoryKiB / (slices * uint32(p.Threads))
	return int(perSegment * slices * uint32(p.Threads))
}

// key derives length bytes (at most 64) from password and salt, working in memory, which has p.blocks() blocks
// with any content. (RFC 9106 §3.2)
func (p Params) key(memory []block, password, salt []byte, length int) []byte {
	lanes := uint32(p.Threads)
	f := filling{
		memory:     memory,
		passes:     p.Time,
		lanes:      lanes,
		laneLen:    uint32(len(memory)) / lanes,
		segmentLen: uint32(len(memory)) / lanes / slices,
	}
	f.start(p.seed(password, salt, length))
	for pass := range p.Time {
		for slice := range uint32(slices) {
			for lane := range lanes {
				f.segment(pass, slice, lane)
			}
		}
	}
	return f.finish(length)
}

// seed is H0 of RFC 9106 §3.2, without secret and associated data.
func (p Params) seed(password, salt []byte, length int) []byte {
	h := newBlake2b(blake2b.Size)
	for _, n := range []uint32{uint32(p.Threads), uint32(length), p.MemoryKiB, p.Time, version, argon2id} {
		writeUint32(h, n)
	}
	for _, field := range [][]byte{password, salt, nil, nil} {
		writeUint32(h, uint32(len(field)))
		h.Write(field)
	}
	return h.Sum(nil)
}

// filling is the matrix B of RFC 9106 §3.2, while it is computed.
type filling struct {
	memory     []block // lane after lane
	passes     uint32
	lanes      uint32
	laneLen    uint32 // blocks in a lane
	segmentLen uint32 // blocks in a lane's quarter
}

// start computes the first two blocks of each lane.
func (f *filling) start(seed []byte) {
	var bytes [8 * blockWords]byte
	for lane := range f.lanes {
		for i := range uint32(2) {
			in := binary.LittleEndian.AppendUint32(seed[:len(seed):len(seed)], i)
			in = binary.LittleEndian.AppendUint32(in, lane)
			longHash(bytes[:], in)
			b := &f.memory[lane*f.laneLen+i]
			for w := range b {
				b[w] = binary.LittleEndian.Uint64(bytes[8*w:])
			}
		}
	}
}

// finish is the hash of all lanes' last blocks.
func (f *filling) finish(length int) []byte {
	var last block
	for lane := range f.lanes {
		for w, v := range f.memory[(lane+1)*f.laneLen-1] {
			last[w] ^= v
		}
	}
	bytes := make([]byte, 0, 8*blockWords)
	for _, v := range last {
		bytes = binary.LittleEndian.AppendUint64(bytes, v)
	}
	key := make([]byte, length)
	longHash(key, bytes)
	return key
}

// segment computes a lane's part of a slice.
func (f *filling) segment(pass, slice, lane uint32) {
	// RFC 9106 §3.4.1.3: the first half of the first pass reads where no password can be seen from it.
	independent := pass == 0 && slice < slices/2
	counter := block{
		uint64(pass), uint64(lane), uint64(slice), uint64(len(f.memory)), uint64(f.passes), argon2id,
	}
	var addresses block

	first := uint32(0)
	if pass == 0 && slice == 0 {
		first = 2
	}
	current := lane*f.laneLen + slice*f.segmentLen + first
	previous := current - 1
	if slice == 0 && first == 0 {
		previous += f.laneLen // the lane's last
	}
	for index := first; index < f.segmentLen; index++ {
		pseudorandom := f.memory[previous][0]
		if independent {
			if index == first || index%blockWords == 0 {
				counter[6]++
				nextAddresses(&addresses, &counter)
			}
			pseudorandom = addresses[index%blockWords]
		}
		reference := f.reference(pass, slice, lane, index, pseudorandom)
		compress(&f.memory[current], &f.memory[previous], &f.memory[reference], pass > 0)
		previous, current = current, current+1
	}
}

// nextAddresses is RFC 9106 §3.4.1.2.
func nextAddresses(addresses, counter *block) {
	var zero block
	compress(addresses, &zero, counter, false)
	compress(addresses, &zero, addresses, false)
}

// reference is where the second input of a block lies. (RFC 9106 §3.4.2)
func (f *filling) reference(pass, slice, lane, index uint32, pseudorandom uint64) uint32 {
	j1, j2 := pseudorandom&0xffffffff, uint32(pseudorandom>>32)
	from := j2 % f.lanes
	if pass == 0 && slice == 0 {
		from = lane
	}
	size, start := slice*f.segmentLen, uint32(0)
	if pass > 0 {
		size, start = (slices-1)*f.segmentLen, (slice+1)%slices*f.segmentLen
	}
	if from == lane {
		size += index
	}
	if from == lane || index == 0 {
		size-- // not the previous block, which is the first input
	}
	x := j1 * j1 >> 32
	y := uint64(size) * x >> 32
	z := start + uint32(uint64(size)-1-y)
	if z >= f.laneLen {
		z -= f.laneLen
	}
	return from*f.laneLen + z
}

// compress is G of RFC 9106 §3.5, added to what out holds where add is true. out may be one of the inputs.
func compress(out, x, y *block, add bool) {
	var r block
	for i := range r {
		r[i] = x[i] ^ y[i]
	}
	z := r
	for row := 0; row < blockWords; row += 16 {
		v := (*[16]uint64)(z[row:])
		v[0], v[4], v[8], v[12] = mix(v[0], v[4], v[8], v[12])
		v[1], v[5], v[9], v[13] = mix(v[1], v[5], v[9], v[13])
		v[2], v[6], v[10], v[14] = mix(v[2], v[6], v[10], v[14])
		v[3], v[7], v[11], v[15] = mix(v[3], v[7], v[11], v[15])
		v[0], v[5], v[10], v[15] = mix(v[0], v[5], v[10], v[15])
		v[1], v[6], v[11], v[12] = mix(v[1], v[6], v[11], v[12])
		v[2], v[7], v[8], v[13] = mix(v[2], v[7], v[8], v[13])
		v[3], v[4], v[9], v[14] = mix(v[3], v[4], v[9], v[14])
	}
	for column := 0; column < 16; column += 2 {
		v := (*[blockWords - 14]uint64)(z[column:])
		v[0], v[32], v[64], v[96] = mix(v[0], v[32], v[64], v[96])
		v[1], v[33], v[65], v[97] = mix(v[1], v[33], v[65], v[97])
		v[16], v[48], v[80], v[112] = mix(v[16], v[48], v[80], v[112])
		v[17], v[49], v[81], v[113] = mix(v[17], v[49], v[81], v[113])
		v[0], v[33], v[80], v[113] = mix(v[0], v[33], v[80], v[113])
		v[1], v[48], v[81], v[96] = mix(v[1], v[48], v[81], v[96])
		v[16], v[49], v[64], v[97] = mix(v[16], v[49], v[64], v[97])
		v[17], v[32], v[65], v[112] = mix(v[17], v[32], v[65], v[112])
	}
	if !add {
		*out = block{}
	}
	for i := range out {
		out[i] ^= r[i] ^ z[i]
	}
}

// mix is GB of RFC 9106 §3.6.
func mix(a, b, c, d uint64) (uint64, uint64, uint64, uint64) {
	a = blaMka(a, b)
	d = bits.RotateLeft64(d^a, -32)
	c = blaMka(c, d)
	b = bits.RotateLeft64(b^c, -24)
	a = blaMka(a, b)
	d = bits.RotateLeft64(d^a, -16)
	c = blaMka(c, d)
	b = bits.RotateLeft64(b^c, -63)
	return a, b, c, d
}

func blaMka(x, y uint64) uint64 {
	return x + y + 2*uint64(uint32(x))*uint64(uint32(y))
}

// longHash fills out with the hash of in: H' of RFC 9106 §3.3.
func longHash(out, in []byte) {
	h := newBlake2b(min(len(out), blake2b.Size))
	writeUint32(h, uint32(len(out)))
	h.Write(in)
	v := h.Sum(nil)
	for len(out) > blake2b.Size {
		copy(out, v[:blake2b.Size/2])
		out = out[blake2b.Size/2:]
		h = newBlake2b(min(len(out), blake2b.Size))
		h.Write(v)
		v = h.Sum(v[:0])
	}
	copy(out, v)
}

// newBlake2b is for sizes from 1 to 64, for which the library has no error.
func newBlake2b(size int) hash.Hash {
	h, err := blake2b.New(size, nil)
	if err != nil {
		panic(err)
	}
	return h
}

func writeUint32(h hash.Hash, n uint32) {
	h.Write(binary.LittleEndian.AppendUint32(nil, n))
}
