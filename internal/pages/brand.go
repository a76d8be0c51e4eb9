package pages

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Brand is how the pages look beyond their design. The zero value is Keywright's own.
type Brand struct {
	Name        string // of the site, in titles
	Logo        string // the URL of an image; empty: the name in letters
	LogoDark    string // in dark mode; empty: Logo
	Primary     string // #rrggbb: the filled button, links and the focus ring
	PrimaryDark string // in dark mode
	Page        string // behind the card
	PageDark    string
	Radius      int // of corners in pixels; 0: 12, -1: none
}

// What a brand leaves out.
var plainBrand = Brand{
	Name: "Keywright", Primary: "#2b5bd7", PrimaryDark: "#8fb0ff", Page: "#f4f5f7", PageDark: "#111317", Radius: 12,
}

// The card is always white or near black, so that contrast can be known.
const (
	cardLight = "#ffffff"
	cardDark  = "#1b1e23"
)

// textContrast is what WCAG 2.2 §1.4.3 asks of text.
const textContrast = 4.5

func (b Brand) withDefaults() Brand {
	for _, field := range []struct {
		value *string
		plain string
	}{
		{&b.Name, plainBrand.Name}, {&b.LogoDark, b.Logo}, {&b.Primary, plainBrand.Primary},
		{&b.PrimaryDark, plainBrand.PrimaryDark}, {&b.Page, plainBrand.Page}, {&b.PageDark, plainBrand.PageDark},
	} {
		if *field.value == "" {
			*field.value = field.plain
		}
	}
	if b.Radius == 0 {
		b.Radius = plainBrand.Radius
	}
	b.Radius = max(b.Radius, 0)
	return b
}

// check refuses colours that some people could not read.
func (b Brand) check() error {
	for _, pair := range []struct{ setting, colour, on string }{
		{"primary", b.Primary, cardLight},
		{"primary_dark", b.PrimaryDark, cardDark},
	} {
		colour, err := parseColour(pair.colour)
		if err != nil {
			return fmt.Errorf("brand %s: %w", pair.setting, err)
		}
		card, err := parseColour(pair.on)
		if err != nil {
			return err
		}
		if got := contrast(colour, card); got < textContrast {
			return fmt.Errorf("brand %s: %s on %s has a contrast of %.1f:1, and people need %.1f:1", pair.setting, pair.colour, pair.on, got, textContrast)
		}
	}
	for setting, colour := range map[string]string{"page": b.Page, "page_dark": b.PageDark} {
		if _, err := parseColour(colour); err != nil {
			return fmt.Errorf("brand %s: %w", setting, err)
		}
	}
	return nil
}

// css declares the brand for the style sheet.
func (b Brand) css() string {
	return fmt.Sprintf(`:root{--primary:light-dark(%s,%s);--on-primary:light-dark(%s,%s);--page:light-dark(%s,%s);--radius:%dpx}
`,
		b.Primary, b.PrimaryDark, readableOn(b.Primary), readableOn(b.PrimaryDark), b.Page, b.PageDark, b.Radius)
}

// readableOn returns black or white, whichever is read better.
func readableOn(background string) string {
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
