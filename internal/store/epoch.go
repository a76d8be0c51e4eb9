package store

// Epochs that are no row's own.
const (
	// GlobalEpoch, when raised, ends every grant.
	GlobalEpoch = "global"
	// keysEpoch, when raised, makes every node load the signing keys again.
	keysEpoch = "keys"
	// originsEpoch, when raised, makes every node load the clients' origins
	// again. It is raised with every client's own epoch and never below one.
	originsEpoch = "origins"
)

// Epoch returns a counter's value.
func (r Reader) Epoch(name string) (value int64, err error) {
	err = r.queryRow(`SELECT value FROM epochs WHERE name = $1`, name).Scan(&value)
	return value, err
}

// CacheEpochs returns what the caches of public things were built from: when
// either value has changed, that cache is stale.
func (r Reader) CacheEpochs() (keys, origins int64, err error) {
	err = r.queryRow(`SELECT k.value, o.value FROM epochs k, epochs o WHERE k.name = $1 AND o.name = $2`, keysEpoch, originsEpoch).Scan(&keys, &origins)
	return keys, origins, err
}

func (tx *Tx) raiseEpoch(name string) error {
	return tx.exec(`UPDATE epochs SET value = value + 1 WHERE name = $1`, name)
}
