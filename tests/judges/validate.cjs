// Reads {name: html} from stdin and writes {name: ["rule: what is wrong (line)"]}: HTML as its standard has it.
const { HtmlValidate } = require("html-validate");

// What mail needs: presentational attributes and conditional comments for Outlook, styles in attributes for everybody,
// and roles on <div>, since mail programs drop the elements that have those roles by themselves.
const MAIL = {
  "no-deprecated-attr": "off",
  "no-conditional-comment": "off",
  "no-inline-style": "off",
  "prefer-native-element": "off",
};

// Fashion and not validity; and a name that several boxes share is how a form sends a list.
const ANY = { "long-title": "off", "doctype-style": "off", "form-dup-name": "off" };

async function main() {
  const { pages, mail } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const judge = new HtmlValidate({
    root: true,
    extends: ["html-validate:recommended"],
    rules: { ...ANY, ...(mail ? MAIL : {}) },
  });
  const found = {};
  for (const [name, html] of Object.entries(pages)) {
    const report = await judge.validateString(html);
    found[name] = report.results.flatMap((result) =>
      result.messages.map((each) => `${each.ruleId}: ${each.message} (${each.line}:${each.column})`),
    );
  }
  process.stdout.write(JSON.stringify(found));
}

main();
