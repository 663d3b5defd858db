// Forms with files, as browsers send them.
import { describe } from './lib/report.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      const form = await request.formData();
      const entries = await Promise.all([...form].map(async ([name, value]) => [name, typeof value === 'string' ? value : { file: value.name, type: value.type, size: value.size, text: await value.text() }]));
      return Response.json(entries);
    } catch (error) {
      return Response.json({ refused: describe(error) }, { status: 400 });
    }
  },
};
