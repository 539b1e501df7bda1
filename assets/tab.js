// The key of this tab (rnnviz/ui/lab/tab.py). It lies in the tab's own storage: a reload keeps it, a link does not carry
// it, another tab has its own.

const NAME = "rnnviz-tab";

export default function tab({ data, parentElement, setStateValue }) {
  parentElement.classList.add("rv-cursor"); // nothing to see
  const held = sessionStorage.getItem(NAME);
  if (held === data.key) return;
  if (held && held !== data.refused) setStateValue("key", held);
  else sessionStorage.setItem(NAME, data.key);
}
