/**
 * A scene as a mermaid `sequenceDiagram`.
 */
import type { Row, Scene } from './scene.js';

const idOf = (id: string): string => id.replaceAll(' ', '_');

const line = (row: Row): string => {
  switch (row.kind) {
    case 'start':
      return `${idOf(row.from)} ->> ${idOf(row.to)}: ${row.text}`;
    case 'message':
      return `${idOf(row.from)} ->> ${idOf(row.to)}: ${row.text}`;
    case 'deed':
      return `Note over ${idOf(row.on)}: ${row.text}`;
    case 'state':
      return `Note over ${idOf(row.on)}: ${row.state}`;
    case 'end':
      return `Note over ${idOf(row.on)}: ${row.text}`;
  }
};

export const mermaidOf = ({ lifelines, rows }: Scene): string =>
  [
    'sequenceDiagram',
    ...lifelines.map(({ id, title, subtitle }) => `  participant ${idOf(id)} as ${title}<br/>${subtitle}`),
    ...rows.map((row) => `  ${line(row)}`),
  ].join('\n');
