// What scripts say: in the page's language by the catalogue that came before this file, and in English where none came.
window.gettext ??= (text) => text;
window.ngettext ??= (one, many, count) => (count === 1 ? one : many);
window.interpolate ??= (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
window.writeNumber = (value) => value.toLocaleString(document.documentElement.lang);
