// The demo page: two languages, a shelf, and a button that opens the chat.

let language = (navigator.language || "zh").toLowerCase().startsWith("zh") ? "zh" : "en";
const button = document.getElementById("language");

const money = (price) =>
  new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en", {
    style: "currency",
    currency: price.currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: 0,
  }).format(Number(price.amount));

const element = (name, text) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  return node;
};

const shelf = async () => {
  const answer = await fetch(`/v1/web/products?limit=12&language=${language}`);
  if (!answer.ok) return;
  const { products } = await answer.json();
  const list = document.getElementById("products");
  list.replaceChildren(
    ...products.map((product) => {
      const item = element("li");
      if (product.image) {
        const picture = element("img");
        picture.src = product.image;
        picture.alt = "";
        picture.loading = "lazy";
        picture.width = 400;
        picture.height = 400;
        item.append(picture);
      }
      const price = element("p", `${money(product.price)} `);
      if (product.was) price.append(element("s", money(product.was)));
      item.append(element("h3", product.title), price);
      return item;
    }),
  );
  list.closest("section").hidden = products.length === 0;
};

const speak = () => {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-zh]")) node.textContent = node.dataset[language];
  button.textContent = language === "zh" ? "English" : "中文";
  button.lang = language === "zh" ? "en" : "zh-CN";
  shelf().catch(() => {});
};

button.addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  speak();
});
document.getElementById("ask").addEventListener("click", () => document.querySelector("tiansheng-chat")?.open());
speak();
