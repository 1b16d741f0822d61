/** What Python tells the browser (contract.py) and what the browser answers (message.py). */

export type Vec3 = [number, number, number];
export type PlaneName = "axial" | "coronal" | "sagittal";
export type LayerName = "graft" | "rectus_left" | "rectus_right";
export type AnnotationKind = "length" | "ellipse" | "value" | "focus";
export type Permission = "measure" | "mark" | "seed" | "edit";

export interface LayerData {
  layer: LayerName;
  editable: boolean;
  /** CRC-32 of the packed bits: tells whether the server's mask is the one drawn here. */
  check: number;
  url: string;
}

export interface PictureData {
  key: string;
  visit: string;
  series: string;
  space: string;
  native: boolean;
  shape: Vec3;
  /** 4 × 4 by rows: voxel index to LPS mm. */
  affine: number[];
  /** 4 × 4 by rows: voxel index to the millimetres that linked pictures share. */
  spaceFromIndex: number[];
  slope: number;
  intercept: number;
  /** Intensity that counts as 1: reference muscle, or a stand-in without it. */
  unit: number;
  hasMuscle: boolean;
  id: string;
  url: string;
  slabSlices: number;
  /** Voxel index of the middle of the graft, null without one: where to look first. */
  start: Vec3 | null;
  layers: LayerData[];
}

export interface AnnotationData {
  id: string;
  kind: AnnotationKind;
  picture: string;
  plane: PlaneName;
  /** 1-based. */
  slice: number;
  points: Vec3[];
}

export interface PresetData {
  label: string;
  low: number;
  high: number;
}

export interface ViewerData {
  case: string;
  /** What this person's steps on this case are kept under in the tab. */
  memory: string;
  visit: string;
  comparedWith: string | null;
  layout: "one" | "two" | "four";
  tools: Permission[];
  pictures: PictureData[];
  annotations: AnnotationData[];
  presets: PresetData[];
  texts: Record<string, string>;
}

/** How the viewer speaks to Python: Streamlit's two functions. */
export interface Host {
  setStateValue(name: "annotations", value: unknown): void;
  setTriggerValue(name: "seed" | "edited" | "renew", value: unknown): void;
}
