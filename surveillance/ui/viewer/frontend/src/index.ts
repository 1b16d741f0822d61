/** What Streamlit calls: once a mount, and again whenever the page's data differ. */

import "./viewer.css";
import type { Host, ViewerData } from "./contract.ts";
import { Viewer } from "./viewer.ts";

interface Component extends Host {
  data: ViewerData;
  parentElement: ParentNode & Node;
}

const viewers = new WeakMap<Node, Viewer>();

export default function mount(component: Component): () => void {
  const { data, parentElement } = component;
  const known = viewers.get(parentElement);
  if (known && known.data.memory === data.memory) {
    known.update(data, component);
    return () => known.destroy();
  }
  known?.destroy();
  const viewer = new Viewer(data, component);
  viewers.set(parentElement, viewer);
  parentElement.appendChild(viewer.root);
  fitHeight(viewer.root);
  return () => {
    viewer.destroy();
    viewers.delete(parentElement);
  };
}

const LEAST_PX = 420;
const BELOW_PX = 8;

/** As high as what is left of the window below the viewer's top. */
function fitHeight(root: HTMLElement): void {
  const fit = (): void => {
    if (!root.isConnected) {
      window.removeEventListener("resize", fit);
      return;
    }
    const top = root.getBoundingClientRect().top + scrolledBy(root);
    root.style.height = `${Math.max(LEAST_PX, window.innerHeight - top - BELOW_PX)}px`;
  };
  window.addEventListener("resize", fit);
  requestAnimationFrame(fit);
  window.setTimeout(fit, 500);
}

/** How far the scrolling ancestor is scrolled: the height does not depend on it. */
function scrolledBy(root: HTMLElement): number {
  let node: Node | null = root;
  while (node) {
    if (node instanceof HTMLElement && node.scrollTop > 0) return node.scrollTop;
    node = node.parentNode instanceof ShadowRoot ? node.parentNode.host : node.parentNode;
  }
  return 0;
}
