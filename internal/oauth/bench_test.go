package oauth

import "testing"

func BenchmarkAuthenticate(b *testing.B) {
	c, creds := worker(), workerCredentials()
	b.ReportAllocs()
	for b.Loop() {
		if r := authenticate(creds, c, secretKey); r != nil {
			b.Fatal(r)
		}
	}
}

func BenchmarkClientCredentials(b *testing.B) {
	f, req := clientFacts(worker()), TokenRequest{Client: workerCredentials(), Scope: "read write", Resources: []string{api}}
	b.ReportAllocs()
	for b.Loop() {
		if o := ClientCredentials(policy, req, f, drawn, noon); o.Answer.Issue == nil {
			b.Fatal(o.Answer.Refused)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	for name, c := range map[string]*Client{"public": app(), "confidential": worker()} {
		b.Run(name, func(b *testing.B) {
			f, req := factsOf(c), refreshOf(c, 5)
			b.ReportAllocs()
			for b.Loop() {
				if o := Refresh(policy, req, f, drawn, noon); o.Answer.Issue == nil {
					b.Fatal(o.Answer.Refused)
				}
			}
		})
	}
}

func BenchmarkParseRefreshToken(b *testing.B) {
	_, text := aRefreshToken()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseRefreshToken(text); !ok {
			b.Fatal()
		}
	}
}

func BenchmarkAuthorize(b *testing.B) {
	a := anAsking()
	b.ReportAllocs()
	for b.Loop() {
		if answer, _ := a.decide(); answer.Response == nil || answer.Response.Refused != nil {
			b.Fatal(answer)
		}
	}
}

func BenchmarkRedeemCode(b *testing.B) {
	for name, c := range map[string]*Client{"public": site(), "confidential": confidentialSite()} {
		b.Run(name, func(b *testing.B) {
			req, f := redemption(c)
			b.ReportAllocs()
			for b.Loop() {
				if o := RedeemCode(signInPolicy, req, f, drawn, noon); o.Answer.Issue == nil {
					b.Fatal(o.Answer.Refused)
				}
			}
		})
	}
}
