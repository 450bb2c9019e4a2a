import { client, describe, print } from './client.mjs';

const sessions = client().beta.chatkit.sessions;
const session = await sessions.create({ user: 'ada', workflow: { id: process.env.MODEL } });
print(session);
print(await sessions.cancel(session.id));
print(await sessions.create({
  user: 'ada',
  workflow: { id: process.env.MODEL, state_variables: { plan: 'gold', seats: 3, trial: false } },
  expires_after: { anchor: 'created_at', seconds: 60 },
  rate_limits: { max_requests_per_1_minute: 3 },
  chatkit_configuration: {
    automatic_thread_titling: { enabled: false },
    file_upload: { enabled: true, max_files: 2, max_file_size: 1 },
    history: { enabled: true, recent_threads: 4 },
  },
}));
print(await sessions.create({ user: 'ada', workflow: { id: 'bot/id=nobody' } }).catch(describe));
print(await sessions.cancel('cksess_nothing').catch(describe));
