// A release that does not survive its own start.
import { connect } from 'tanist/worker';

await connect();
throw new Error('a mistake that no test has found');
