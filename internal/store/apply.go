package store

import (
	"encoding/json"
	"fmt"

	"github.com/keywright/keywright/internal/change"
)

// Apply turns changes into rows, and adds a journal row for each that is of
// kind Audit. Nothing else writes.
func (tx *Tx) Apply(origin change.Origin, changes ...change.Change) error {
	for _, c := range changes {
		name, kind := c.Fact()
		if err := tx.apply(c); err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
		if kind == change.Audit {
			if err := tx.journal(origin, name, c); err != nil {
				return fmt.Errorf("journal %s: %w", name, err)
			}
		}
	}
	return nil
}

func (tx *Tx) apply(c change.Change) error {
	switch c := c.(type) {
	case change.UserRegistered:
		return tx.registerUser(c)
	case change.RegistrationRepeated:
		return tx.repeatRegistration(c)
	case change.PasswordRehashed:
		return tx.rehashPassword(c)
	case change.UserDisabled:
		return tx.disableUser(c)
	case change.UserEnabled:
		return tx.enableUser(c)
	case change.UserSessionsEnded:
		return tx.endUserSessions(c)
	case change.ProfileChanged:
		return tx.changeProfile(c)
	case change.PasswordChanged:
		return tx.changePassword(c)
	case change.SessionStarted:
		return tx.startSession(c)
	case change.SessionRenewed:
		return tx.renewSession(c)
	case change.SessionSeen:
		return tx.seeSession(c)
	case change.SessionEnded:
		return tx.endSession(c)
	case change.AttemptsReserved:
		return tx.reserveAttempts(c)
	case change.AttemptsReturned:
		return tx.returnAttempts(c)
	case change.ClientAdded:
		return tx.addClient(c)
	case change.ClientChanged:
		return tx.changeClient(c)
	case change.RegistrationTokenAdded:
		return tx.addRegistrationToken(c)
	case change.RegistrationTokenUsed:
		return tx.useRegistrationToken(c)
	case change.RegistrationTokenRemoved:
		return tx.removeRegistrationToken(c)
	case change.ClientAssertionUsed:
		return tx.useAssertion(c)
	case change.ClientDisabled:
		return tx.disableClient(c)
	case change.ClientEnabled:
		return tx.enableClient(c)
	case change.ClientSecretReplaced:
		return tx.replaceClientSecret(c)
	case change.ClientRemoved:
		return tx.removeClient(c)
	case change.CodeIssued:
		return tx.issueCode(c)
	case change.CodeRedeemed:
		return tx.redeemCode(c)
	case change.ConsentGiven:
		return tx.giveConsent(c)
	case change.ConsentsForgotten:
		return tx.forgetConsents(c)
	case change.ConsentWithdrawn:
		return tx.withdrawConsent(c)
	case change.GrantIssued:
		return tx.issueGrant(c)
	case change.GrantRotated:
		return tx.rotateGrant(c.Grant, c.Generation, toMicros(c.At))
	case change.GrantRecovered:
		return tx.rotateGrant(c.Grant, c.Generation, toMicros(c.At))
	case change.GrantRevoked:
		return tx.revokeGrant(c)
	case change.AccessTokenRevoked:
		return tx.revokeAccessToken(c)
	case change.LogoutOwed:
		return tx.oweLogout(c)
	case change.LogoutTold:
		return tx.tellLogout(c)
	case change.LogoutDelayed:
		return tx.delayLogout(c)
	case change.JournalRead:
		return tx.readJournal(c)
	case change.SigningKeyAdded:
		return tx.addSigningKey(c)
	case change.SigningKeyPromoted:
		return tx.promoteSigningKey(c)
	case change.SigningKeyRemoved:
		return tx.removeSigningKey(c)
	case change.SignInThrottled:
		return nil // the journal row is all there is
	default:
		return fmt.Errorf("no statement for %T", c)
	}
}

func (tx *Tx) journal(origin change.Origin, name string, c change.Change) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	from, err := json.Marshal(origin)
	if err != nil {
		return err
	}
	facts, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO journal (at, name, origin, facts) VALUES ($1, $2, $3, $4)`, toMicros(now), name, string(from), string(facts))
}
