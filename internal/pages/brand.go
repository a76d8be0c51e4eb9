package pages

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Brand is how the pages look beyond their design. The zero value is Keywright's own.
type Brand struct {
	Name        string // of the site, in titles
	Logo        []byte // an SVG, PNG, JPEG or WebP image, shown 32 pixels high; nil: the name in letters
	LogoDark    []byte // in dark mode; nil: Logo
	Primary     string // #rrggbb: the filled button, links and the focus ring
	PrimaryDark string // in dark mode
	Page        string // behind the card
	PageDark    string
	Radius      int    // of corners in pixels; 0: 12, -1: none
	Links       []Link // below every page, such as to the privacy notice
}

// Link is a name and an https URL.
type Link struct{ Name, URL string }

// maxLogo keeps a page within 50 KB.
const maxLogo = 24 << 10

// What a brand leaves out.
var plainBrand = Brand{
	Name: "Keywright", Primary: "#2b5bd7", PrimaryDark: "#8fb0ff", Page: "#f4f5f7", PageDark: "#111317", Radius: 12,
}

// The card is always white or near black, so that contrast can be known.
const (
	cardLight = "#ffffff"
	cardDark  = "#1b1e23"
)

// What stands behind the card is muted where the page's colour lets it.
const (
	mutedLight = "#60646c"
	mutedDark  = "#b0b4ba"
)

// textContrast is what WCAG 2.2 §1.4.3 asks of text.
const textContrast = 4.5

func (b Brand) withDefaults() Brand {
	for _, field := range []struct {
		value *string
		plain string
	}{
		{&b.Name, plainBrand.Name}, {&b.Primary, plainBrand.Primary},
		{&b.PrimaryDark, plainBrand.PrimaryDark}, {&b.Page, plainBrand.Page}, {&b.PageDark, plainBrand.PageDark},
	} {
		if *field.value == "" {
			*field.value = field.plain
		}
	}
	if b.LogoDark == nil {
		b.LogoDark = b.Logo
	}
	if b.Radius == 0 {
		b.Radius = plainBrand.Radius
	}
	b.Radius = max(b.Radius, 0)
	return b
}

// check refuses colours that some people could not read, and what cannot be shown.
func (b Brand) check() error {
	for _, colour := range []struct{ setting, value, on string }{
		{"primary", b.Primary, cardLight},
		{"primary_dark", b.PrimaryDark, cardDark},
		{"page", b.Page, ""},
		{"page_dark", b.PageDark, ""},
	} {
		if err := checkColour(colour.value, colour.on); err != nil {
			return fmt.Errorf("brand %s: %w", colour.setting, err)
		}
	}
	for _, logo := range []struct {
		setting string
		image   []byte
	}{{"logo", b.Logo}, {"logo_dark", b.LogoDark}} {
		if err := checkLogo(logo.image); err != nil {
			return fmt.Errorf("brand %s: %w", logo.setting, err)
		}
	}
	for _, link := range b.Links {
		if u, err := url.Parse(link.URL); link.Name == "" || err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("brand links: %q: %q needs a name and an https URL", link.Name, link.URL)
		}
	}
	return nil
}

// checkColour refuses what is no colour, or cannot be read on a card of another.
func checkColour(text, on string) error {
	colour, err := parseColour(text)
	if err != nil || on == "" {
		return err
	}
	card, err := parseColour(on)
	if err != nil {
		return err
	}
	if got := contrast(colour, card); got < textContrast {
		return fmt.Errorf("%s on %s has a contrast of %.1f:1, and people need %.1f:1", text, on, got, textContrast)
	}
	return nil
}

func checkLogo(image []byte) error {
	switch {
	case image == nil:
		return nil
	case len(image) > maxLogo:
		return fmt.Errorf("the image has %d bytes, more than %d", len(image), maxLogo)
	case imageType(image) == "":
		return errors.New("this is not an SVG, PNG, JPEG or WebP image")
	}
	return nil
}

// imageType returns the media type of an image that pages can show, or "".
func imageType(image []byte) string {
	switch found := http.DetectContentType(image); {
	case found == "image/png", found == "image/jpeg", found == "image/webp":
		return found
	case strings.HasPrefix(found, "text/") && bytes.Contains(image, []byte("<svg")):
		return "image/svg+xml"
	}
	return ""
}

// css declares the brand for the style sheet. What the pointer is on moves away
// from its text's colour, so that contrast only grows.
func (b Brand) css() string {
	colours := []struct{ name, light, dark string }{
		{"primary", b.Primary, b.PrimaryDark},
		{"on-primary", readableOn(b.Primary), readableOn(b.PrimaryDark)},
		{"shade", readableOn(readableOn(b.Primary)), readableOn(readableOn(b.PrimaryDark))},
		{"page", b.Page, b.PageDark},
		{"on-page", readableOn(b.Page, mutedLight), readableOn(b.PageDark, mutedDark)},
	}
	var css strings.Builder
	for _, c := range colours {
		fmt.Fprintf(&css, "--%s:light-dark(%s,%s);", c.name, c.light, c.dark)
	}
	return fmt.Sprintf(":root{%s--radius:%dpx}\n", css.String(), b.Radius)
}

// readableOn returns the first wish that can be read on a background, else black
// or white, whichever is read better.
func readableOn(background string, wishes ...string) string {
	for _, wish := range wishes {
		if checkColour(wish, background) == nil {
			return wish
		}
	}
	colour, err := parseColour(background)
	if err != nil || contrast(colour, rgb{255, 255, 255}) >= contrast(colour, rgb{}) {
		return "#ffffff"
	}
	return "#000000"
}

type rgb struct{ r, g, b uint8 }

func parseColour(text string) (rgb, error) {
	digits, ok := strings.CutPrefix(text, "#")
	number, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil || len(digits) != 6 {
		return rgb{}, fmt.Errorf("%q is not a colour such as #2b5bd7", text)
	}
	return rgb{uint8(number >> 16), uint8(number >> 8), uint8(number)}, nil
}

// contrast is WCAG 2.2's ratio, from 1 to 21.
func contrast(a, b rgb) float64 {
	lighter, darker := a.luminance(), b.luminance()
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05)
}

func (c rgb) luminance() float64 {
	linear := func(channel uint8) float64 {
		v := float64(channel) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}
