/** What somebody calls themselves: their own direction of writing, whatever stands around. */
export function Name({ children }: { children: string }) {
  return <bdi dir="auto">{children}</bdi>;
}
