/**
 * Vitest sets NODE_ENV to `test`. A program started with that finds our sources beside itself, and oclif then runs
 * these instead of what was built, translating them at each start: twice as slow, and not what users have.
 */
delete process.env['NODE_ENV']
