/** Small drawings, in the colour of the text around. They say nothing by themselves: a name stands beside each. */

const PATHS = {
  play: "M7 4.5v15l12-7.5z",
  list: "M5 21V11h4v10zm5 0V4h4v17zm5 0v-7h4v7z",
  person: "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Zm0 2c-5 0-8 2.6-8 7h16c0-4.4-3-7-8-7Z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2v14a7 7 0 0 1 0-14Z",
  light: "M12 7a5 5 0 1 1 0 10 5 5 0 0 1 0-10Zm-1-6h2v4h-2zm0 18h2v4h-2zM1 11h4v2H1zm18 0h4v2h-4zM4.2 5.6l1.4-1.4 2.8 2.8L7 8.4zm11.4 11.4 1.4-1.4 2.8 2.8-1.4 1.4zM5.6 19.8l-1.4-1.4L7 15.6 8.4 17zM17 8.4 15.6 7l2.8-2.8 1.4 1.4z",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z",
  check: "M9.5 18.2 3.8 12.5l2.1-2.1 3.6 3.6 8.6-8.6 2.1 2.1z",
  cross: "m6.5 4.4 5.5 5.5 5.5-5.5 2.1 2.1-5.5 5.5 5.5 5.5-2.1 2.1-5.5-5.5-5.5 5.5-2.1-2.1 5.5-5.5-5.5-5.5z",
  copy: "M8 3h11a2 2 0 0 1 2 2v11h-2V5H8zM5 7h9a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9c0-1.1.9-2 2-2Z",
  share: "m12 2 5 5-1.4 1.4L13 5.8V15h-2V5.8L8.4 8.4 7 7zM5 11h3v2H6v7h12v-7h-2v-2h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1Z",
  down: "m12 16.5-7-7 2-2 5 5 5-5 2 2z",
  flag: "M5 3h2v1h12l-3 5 3 5H7v7H5z",
  leave: "M4 3h9v2H6v14h7v2H4zm11.6 4.6L20 12l-4.4 4.4-1.4-1.4 2-2H9v-2h7.2l-2-2z",
  swords: "m3 3 4 .6 9.3 9.3 1.4-1.4 1.6 1.6-2.1 2.1 3 3-2 2-3-3-2.1 2.1-1.6-1.6 1.4-1.4L3.6 7zm18 0-.6 4-4.3 4.3-2.4-2.4L18 4.6l3-1.6ZM8 13.5l2.5 2.5-1.3 1.4 1.4 1.4L9 20.4l-2.1-2.1-3 3-2-2 3-3-2.1-2.1 1.6-1.6 1.4 1.4z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" fill="currentColor" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
