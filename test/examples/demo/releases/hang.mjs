// A release that waits for ever for something before it can serve.
import { connect } from 'tanist/worker';

await connect();
await new Promise((resolve) => setTimeout(resolve, 1_000_000));
