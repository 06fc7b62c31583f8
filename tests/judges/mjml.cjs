// Reads {name: mjml} from stdin and writes {name: html}, as the reference implementation compiles it.
const mjml = require("mjml");

async function main() {
  const made = {};
  for (const [name, source] of Object.entries(JSON.parse(require("fs").readFileSync(0, "utf8")))) {
    const { html, errors } = await mjml(source, { fonts: {}, validationLevel: "soft" });
    made[name] = { html, errors: errors.map((each) => each.formattedMessage) };
  }
  process.stdout.write(JSON.stringify(made));
}

main();
