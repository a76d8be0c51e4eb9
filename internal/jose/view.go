package jose

import "unsafe"

// A token is looked at as text and hashed as bytes, for each request of an API.
// These two see one as the other without a copy. It is sound because nobody
// writes to either afterwards: strings never change, and the bytes given to
// textOf are nobody else's.

func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

func textOf(bytes []byte) string { return unsafe.String(unsafe.SliceData(bytes), len(bytes)) }
