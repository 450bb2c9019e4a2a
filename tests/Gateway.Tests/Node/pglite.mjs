// A Postgres with pgvector, in WebAssembly and in memory. Prints its port as a JSON line; ends with its input.
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const db = await PGlite.create({ extensions: { vector } });
const server = new PGLiteSocketServer({ db, port: Number(process.env.PGLITE_PORT), host: "127.0.0.1" });
await server.start();
console.log(JSON.stringify({ port: Number(process.env.PGLITE_PORT) }));

process.stdin.resume();
process.stdin.on("end", async () => {
  await server.stop();
  await db.close();
  process.exit(0);
});
