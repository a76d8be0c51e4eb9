package pages

import (
	"bytes"
	"strings"
	"testing"
)

func TestBrandThatSomeCannotReadIsRefused(t *testing.T) {
	for name, brand := range map[string]Brand{
		"pale on white":      {Primary: "#ffd400"},
		"dark on near black": {PrimaryDark: "#222222"},
		"no colour":          {Primary: "red"},
		"no page colour":     {Page: "#12"},
		"no image":           {Logo: []byte("<html>")},
		"a GIF":              {LogoDark: []byte("GIF89a")},
		"a heavy image":      {Logo: bytes.Repeat([]byte("<svg>"), maxLogo)},
		"a link to a script": {Links: []Link{{"Privacy", "javascript:alert(1)"}}},
		"a link of no name":  {Links: []Link{{"", "https://example.com/privacy"}}},
	} {
		if _, err := New(brand); err == nil || !strings.Contains(err.Error(), "brand ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Brand{Name: "Acme", Primary: "#8a1c4a", PrimaryDark: "#ff9ac1", Radius: -1}); err != nil {
		t.Error(err)
	}
}

func TestLogoIsShownInBothModes(t *testing.T) {
	svg := []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`)
	p, err := New(Brand{Name: "Acme", Logo: svg, Links: []Link{{"Privacy", "https://acme.example/privacy"}}})
	if err != nil {
		t.Fatal(err)
	}
	html, err := p.Render("en", SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`srcset="/logo-dark"`, `<img src="/logo" alt="Acme"`, `<a href="https://acme.example/privacy">Privacy</a>`} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if image, mediaType := p.LogoDark(); !bytes.Equal(image, svg) || mediaType != "image/svg+xml" {
		t.Error(mediaType)
	}
	if got := p.Sources(SignIn{}); got != "style-src 'self'; img-src 'self'" {
		t.Error(got)
	}
}

// No page colour leaves what stands on it unread.
func TestTextBehindTheCardCanBeRead(t *testing.T) {
	for _, page := range []string{"#000000", "#ffffff", "#777777", "#2b5bd7", "#ffd400", "#f4f5f7"} {
		if err := checkColour(readableOn(page, mutedLight), page); err != nil {
			t.Error(err)
		}
	}
}
