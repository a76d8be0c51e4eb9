// Package password turns passwords into strings that can be stored, and checks them: Argon2id (RFC 9106) for
// all that it makes, bcrypt also for what was brought from elsewhere. A password is its exact bytes: nothing is
// trimmed, normalised or cut off.
//
// A hash costs some 25 ms and 19 MiB on purpose, which makes sign-in the cheapest way to stop a server. So a
// [Hasher] computes on a few threads of its own, lets a bounded number of requests wait a bounded time, and
// answers [ErrBusy] to the rest. On Linux its threads have a low priority in the kernel's scheduler: everything
// else goes first, whatever the storm, and the storm takes what is left.
//
// # GOMAXPROCS
//
// The program should add the threads that work to what Go chose, for as long as they work (Options.AtWork).
//
// A thread that hashes holds one of Go's processors from start to end, also while the kernel lets something
// more urgent run in its place: Go's scheduler does not see that. With one processor for each core, all else waits
// until the hash is preempted. With one more for each hashing thread there are always as many as cores for the
// rest, and the kernel, which knows the priorities, decides. On one core in a storm, a goroutine that wakes
// every 2 ms was 18 ms late in the first case, and no later than without a storm (0.3 ms) in the second. To leave
// the extra processors on without a storm costs: two of them on one core wait out each other's time slices, and a
// token took 15 % more and its 99th percentile 10 ms instead of 4.
package password
