package pages

import (
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// each renders every state of the gallery in every language.
func each(t *testing.T, f func(t *testing.T, state State, language string, html string)) {
	t.Helper()
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range Gallery() {
		for _, language := range Languages {
			t.Run(state.Name+"/"+language, func(t *testing.T) {
				html, err := p.Render(language, state.Page)
				if err != nil {
					t.Fatal(err)
				}
				f(t, state, language, string(html))
			})
		}
	}
}

func TestEveryPageIsInTheGallery(t *testing.T) {
	shown := map[string]bool{}
	for _, state := range Gallery() {
		shown[state.Page.template()] = true
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		if name != "layout" && !shown[name] {
			t.Errorf("the gallery does not show %s", name)
		}
	}
}

func TestEveryLanguageHasEveryText(t *testing.T) {
	all, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	for language, texts := range all {
		for key, sentence := range all[Languages[0]] {
			if strings.Count(texts[key], "{}") != strings.Count(sentence, "{}") || texts[key] == "" {
				t.Errorf("%s: the text %s is missing, or has other places for values", language, key)
			}
		}
		for key := range texts {
			if _, ok := all[Languages[0]][key]; !ok {
				t.Errorf("%s: nobody asks for %s", language, key)
			}
		}
		if months := strings.Fields(texts["day.months"]); len(months) != 12 {
			t.Errorf("%s: %d months", language, len(months))
		}
	}
}

var constant = regexp.MustCompile(`Text += "([a-z.-]+)"`)

func TestEveryKeyHasAText(t *testing.T) {
	all, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("form.go")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, match := range constant.FindAllSubmatch(source, -1) {
		keys = append(keys, string(match[1]))
	}
	for _, code := range FailureCodes {
		keys = append(keys, Failure{Code: code}.Title(), Failure{Code: code}.Message())
	}
	for _, key := range keys {
		if all[Languages[0]][key] == "" {
			t.Errorf("there is no text %s", key)
		}
	}
	for key := range all[Languages[0]] {
		if group, _, _ := strings.Cut(key, "."); slices.Contains([]string{"notice", "alert", "problem"}, group) && !slices.Contains(keys, key) {
			t.Errorf("no constant is the text %s", key)
		}
	}
}

func TestValueWithAPlaceStaysAsItIs(t *testing.T) {
	filled, err := texts{"k": "{} and {}"}.text("k", "{}", "b")
	if err != nil || filled != "{} and b" {
		t.Error(filled, err)
	}
	if _, err := (texts{"k": "{}"}).text("k"); err == nil {
		t.Error("a place without a value is filled")
	}
}

func TestDayIsWrittenAsTheLanguageDoes(t *testing.T) {
	all, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string]string{"en": "31 May 2026", "de": "31. Mai 2026"} {
		if got := all[language].day(time.Date(2026, time.May, 31, 0, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("%s: %q", language, got)
		}
	}
}

var inline = regexp.MustCompile(`(?i)<script(?: [^>]*)?>[^<]|<style|\son[a-z]+=|\sstyle=|javascript:`)

func TestNoPageHoldsAnythingInline(t *testing.T) {
	each(t, func(t *testing.T, _ State, _ string, html string) {
		if found := inline.FindString(html); found != "" {
			t.Errorf("inline: %q", found)
		}
	})
}

var (
	form   = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	button = regexp.MustCompile(`<button([^>]*)>`)
)

// What Enter presses, and automation relies on.
func TestMainActionIsTheFirstFormAndTheFirstButton(t *testing.T) {
	want := map[string][2]string{
		"sign-in": {"/sign-in", "sign-in"}, "sign-up": {"/sign-up", "sign-up"}, "choose-account": {"/sign-in", "continue"},
		"consent": {"/consent", "allow"}, "sign-out": {"/sign-out", "sign-out"}, "account": {"/account/profile", "save-profile"},
		"form-post": {"https://notes.example.com/callback", "continue"},
	}
	each(t, func(t *testing.T, state State, _ string, html string) {
		expected, ok := want[state.Page.template()]
		if !ok {
			return
		}
		form, button := form.FindStringSubmatch(html), button.FindStringSubmatch(html)
		if form == nil || button == nil || form[1] != expected[0] || !strings.Contains(button[1], ` id="`+expected[1]+`"`) {
			t.Errorf("first form %v, first button %v", form, button)
		}
	})
}

func TestAnotherLanguageKeepsTheFlow(t *testing.T) {
	for _, c := range []struct {
		page         Page
		method, path string
		sealed       []Field
	}{
		{SignIn{Flow: "f"}, "post", "/sign-in", []Field{{"flow", "f"}, {"action", "show"}}},
		{SignUp{Flow: "f"}, "post", "/sign-up", []Field{{"flow", "f"}, {"action", "show"}}},
		{ChooseAccount{Flow: "f"}, "post", "/sign-in", []Field{{"flow", "f"}, {"action", "choose"}}},
		{Consent{Request: "r"}, "post", "/consent", []Field{{"request", "r"}, {"action", "show"}}},
		{SignOut{Request: "r"}, "post", "/sign-out", []Field{{"request", "r"}, {"action", "show"}}},
		{SignIn{}, "get", "/sign-in", nil},
		{SignUp{}, "get", "/sign-up", nil},
		{SignOut{}, "get", "/sign-out", nil},
		{SignedOut{}, "get", "/signed-out", nil},
		{Account{}, "get", "/account", nil},
		{Index{}, "get", "", nil},
	} {
		html := render(t, c.page)
		switches := html[strings.Index(html, "<footer>"):]
		want := `<form method="` + c.method + `" action="` + c.path + `">`
		for _, field := range c.sealed {
			want += "\n" + `    <input type="hidden" name="` + field.Name + `" value="` + field.Value + `">`
		}
		if !strings.Contains(switches, want+"\n    <ul") || !strings.Contains(switches, `name="ui_locales" value="de"`) {
			t.Errorf("%#v: %s", c.page, switches)
		}
	}
	for _, page := range []Page{FormPost{Action: "https://a.example"}, Failure{Code: NotFound}, SignedOut{Return: "https://a.example/"}} {
		if strings.Contains(render(t, page), "ui_locales") {
			t.Errorf("%#v offers what would lose it", page)
		}
	}
}

func render(t *testing.T, page Page) string {
	t.Helper()
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	html, err := p.Render("en", page)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func TestPagesAreSmall(t *testing.T) {
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	css := p.Style()
	each(t, func(t *testing.T, _ State, _ string, html string) {
		if size := len(html) + len(css); size > 50<<10 {
			t.Errorf("%d bytes", size)
		}
	})
}

func TestHostileTextStaysText(t *testing.T) {
	p, err := New(Brand{Name: `<script>alert(1)</script>`})
	if err != nil {
		t.Fatal(err)
	}
	const hostile = `"><img src=x onerror=alert(1)><script>alert(1)</script>`
	long := strings.Repeat(hostile, 100)
	for _, page := range []Page{
		SignIn{Flow: hostile, App: hostile, Email: hostile, Problems: Problems{{hostile, FieldMissing}}},
		SignUp{Flow: hostile, App: hostile, Email: hostile, Name: long},
		ChooseAccount{hostile, hostile, hostile, hostile},
		Consent{Request: hostile, App: hostile, Host: hostile, Email: hostile, Scopes: []Scope{{hostile, hostile}}, Resource: hostile},
		SignOut{hostile, hostile, hostile},
		SignedOut{App: hostile, Return: "javascript:alert(1)", Notify: []string{"javascript:alert(1)", hostile}},
		FormPost{Action: "javascript:alert(1)", Fields: []Field{{hostile, hostile}}},
		Failure{Code: HostMismatch, Values: []string{hostile, hostile}, RequestID: hostile, Docs: "javascript:alert(1)",
			Mismatch: &Mismatch{hostile, hostile, []string{hostile + "x", "x" + hostile, ""}}, Details: []Field{{hostile, hostile}}},
		Account{Token: hostile, Name: hostile, Phone: hostile, Address: "</textarea>" + hostile, Email: hostile,
			Apps: []App{{ID: hostile, Name: hostile}}, Sessions: []Session{{ID: hostile, Browser: hostile}}},
		Flows{[]Flow{{hostile, hostile, sampleDay, []Step{{sampleDay, hostile, hostile, hostile, []Field{{hostile, hostile}}, hostile,
			[]Token{{hostile, hostile, hostile}}, hostile}}}}},
	} {
		html, err := p.Render("en", page)
		if err != nil {
			t.Errorf("%s: %v", page.template(), err)
		}
		if bytes.Contains(html, []byte("<img src=x")) || bytes.Contains(html, []byte("<script>")) || bytes.Contains(html, []byte(`="javascript:`)) || bytes.Contains(html, []byte("url=javascript:")) {
			t.Errorf("%s lets markup through:\n%s", page.template(), html)
		}
	}
}

func TestFormBeginsWhereThereIsSomethingToDo(t *testing.T) {
	missing := Problems{{"password", FieldMissing}}
	for focus, got := range map[string]string{
		"email": SignIn{}.Focus(), "password": SignIn{Email: "a"}.Focus(), "current": Account{Problems: Problems{{"current", PasswordWrong}}}.Focus(),
		"name": SignUp{}.Focus(), "": Account{}.Focus(),
	} {
		if got != focus {
			t.Errorf("%q, not %q", got, focus)
		}
	}
	if got := (SignUp{Problems: missing}).Focus() + (SignIn{Problems: missing}).Focus(); got != "passwordpassword" {
		t.Error(got)
	}
}

func TestSignedOutLeadsBackAfterItsFrames(t *testing.T) {
	frames := []string{"https://notes.example.com/out?sid=1", "https://notes.example.com/b", "https://b.example:8443/", "javascript:1", "https://e;script-src x/"}
	for _, c := range []struct {
		page    SignedOut
		refresh string
	}{
		{SignedOut{App: "Notes", Return: "https://notes.example.com/?a=1&b=2", Notify: frames}, `content="0; url=https://notes.example.com/?a=1&amp;b=2"`},
		{SignedOut{App: "Notes", Return: "com.example.notes:/out", Notify: frames}, `content="0; url=com.example.notes:/out"`},
		{SignedOut{App: "Notes", Return: "https://notes.example.com/"}, ""},
		{SignedOut{Notify: frames}, ""},
		{SignedOut{Return: "data:text/html,x", Notify: frames}, ""},
	} {
		html := render(t, c.page)
		if strings.Contains(html, "refresh") != (c.refresh != "") || !strings.Contains(html, c.refresh) {
			t.Errorf("%+v:\n%s", c.page, html)
		}
	}
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Sources(SignedOut{Notify: frames}), "style-src 'self'; frame-src https://notes.example.com https://b.example:8443"; got != want {
		t.Error(got)
	}
	if got, want := p.Sources(FormPost{}), "style-src 'self'; script-src 'self'"; got != want {
		t.Error(got)
	}
}

func TestDifferenceIsWhereTwoValuesPart(t *testing.T) {
	for _, c := range []struct {
		sent, registered string
		want             Difference
	}{
		{"https://a/cb/", "https://a/cb", Difference{"https://a/cb", "/", "", ""}},
		{"http://a/cb", "https://a/cb", Difference{"http", "", "s", "://a/cb"}},
		{"https://a:80/cb", "https://a:81/cb", Difference{"https://a:", "80", "81", "/cb"}},
		{"http://localhost:4200/cb", "https://notes.example.com/cb", Difference{"", "http://localhost:4200", "https://notes.example.com", "/cb"}},
		{"aa", "aaa", Difference{"aa", "", "a", ""}},
		{"ä", "ö", Difference{"", "ä", "ö", ""}},
		{"/\u00e9", "/\u0129", Difference{"/", "\u00e9", "\u0129", ""}},
		{"\u00e9", "\u00e9\u00e8", Difference{"\u00e9", "", "\u00e8", ""}},
		{"same", "same", Difference{"same", "", "", ""}},
		{"", "a", Difference{"", "", "a", ""}},
	} {
		if got := Differ(c.sent, c.registered); got != c.want {
			t.Errorf("%q and %q: %q", c.sent, c.registered, got)
		}
	}
	nearest := Mismatch{"redirect_uri", "https://a/b", []string{"http://x", "https://a/bc", "https://other/b"}}.Nearest()
	if got := nearest[0]; got.Before+got.Registered+got.After != "https://a/bc" {
		t.Errorf("%q", nearest)
	}
}

func FuzzDifferLosesNothing(f *testing.F) {
	f.Add("https://a/cb", "https://a/cb/")
	f.Add("\x80\xff", "\xc3\x80")
	f.Fuzz(func(t *testing.T, sent, registered string) {
		d := Differ(sent, registered)
		if d.Before+d.Sent+d.After != sent || d.Before+d.Registered+d.After != registered {
			t.Errorf("%q", d)
		}
	})
}

func TestEveryArrowIsDrawn(t *testing.T) {
	for _, from := range Lanes {
		for _, to := range Lanes {
			for class := range strings.FieldsSeq(Step{From: from, To: to}.Arrow()) {
				if !strings.Contains(style, "."+class+" {") && !strings.Contains(style, "."+class+"::after") {
					t.Errorf("%s to %s: the style sheet has no .%s", from, to, class)
				}
			}
		}
	}
	if got := (Step{From: "browser", To: "nobody"}).Arrow(); got != "" {
		t.Error(got)
	}
}

var declared = regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`)

func TestColoursOfTheDesignCanBeRead(t *testing.T) {
	colours := map[string][2]rgb{}
	for _, match := range declared.FindAllStringSubmatch(style, -1) {
		light, _ := parseColour(match[2])
		dark, _ := parseColour(match[3])
		colours[match[1]] = [2]rgb{light, dark}
	}
	for _, want := range []struct {
		text, on string
		ratio    float64
	}{
		{"text", "card", 4.5}, {"muted", "card", 4.5}, {"danger", "card", 4.5}, {"danger", "danger-tint", 4.5},
		{"good", "card", 4.5}, {"good", "good-tint", 4.5}, {"text", "good-tint", 4.5},
		{"text", "field", 4.5}, {"line", "card", 3}, {"line", "field", 3},
	} {
		for mode, name := range []string{"light", "dark"} {
			if got := contrast(colours[want.text][mode], colours[want.on][mode]); got < want.ratio {
				t.Errorf("%s: %s on %s has %.2f:1, not %.1f:1", name, want.text, want.on, got, want.ratio)
			}
		}
	}
}

func TestLanguageIsTheFirstThatIsSpoken(t *testing.T) {
	for preferences, want := range map[string]string{
		"de": "de", "de-AT,en;q=0.5": "de", "fr de": "de", "fr": "en", "": "en", "xx;;,": "en", strings.Repeat("fr,", 1000): "en",
	} {
		if got := Choose("", preferences); got != want {
			t.Errorf("Choose(%.20q) = %s, want %s", preferences, got, want)
		}
	}
	if got := Choose("en", "de"); got != "en" {
		t.Errorf("the first list does not win: %s", got)
	}
	if !slices.Contains(Languages, Choose("zz")) {
		t.Error("the default is not spoken")
	}
}
