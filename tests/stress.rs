//! Ten thousand tasks that many threads create, resume, suspend and cancel at random while their
//! sessions are invalidated: each ends, and is told to have ended, once. A program of its own,
//! so that nothing else slows it down.
//!
//! What is decided at random follows from a seed, which is printed; `URLSESSION_TEST_SEED` sets
//! it. How the threads interleave does not follow from it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dice;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Counters, Recorded, Server};
use urlsession::{
    Configuration, Data, Delegate, DeliveryQueue, Error, Finished, Session, Task, TaskState,
    Update, Updates,
};

use dice::{Dice, seed};

const SESSIONS: usize = 20;
const THREADS: usize = 16;
const TASKS_OF_A_THREAD: usize = 32;
const ACTS_PER_TASK: usize = 8;
const HANG: Duration = Duration::from_secs(60);

/// Answers of all kinds, by the number in the path.
fn answer(request: &Recorded) -> Answer {
    let number: usize = request.path()[1..].parse().unwrap_or_default();
    match number % 6 {
        0 => Answer::status(200).body_of_size(200_000),
        1 => Answer::redirect(302, "/2"),
        2 => Answer::status(200).body_of_size(5_000).chunked(1_000),
        3 => Answer::status(200).body_of_size(5_000).truncate_after(1_000),
        4 => Answer::status(200)
            .body_of_size(30_000)
            .delay_in_body_after(15_000, Duration::from_millis(1)),
        _ => Answer::status(404),
    }
}

/// How often each task was told to have ended, by its id.
#[derive(Default)]
struct Ends {
    told: Mutex<BTreeMap<u64, usize>>,
    invalid: AtomicUsize,
}

impl Ends {
    fn add(&self, id: u64) {
        *self.told.lock().unwrap().entry(id).or_default() += 1;
    }

    fn of(&self, id: u64) -> usize {
        self.told.lock().unwrap().get(&id).copied().unwrap_or_default()
    }
}

impl Delegate for Ends {
    fn did_become_invalid(&self, _session: &Session, error: Option<&Error>) {
        assert!(error.is_none());
        self.invalid.fetch_add(1, Ordering::SeqCst);
    }

    fn did_complete(&self, task: &Task, _error: Option<&Error>) {
        assert_eq!(task.state(), TaskState::Completed);
        self.add(task.id());
    }
}

/// Who is told of the end of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Closure,
    Channel,
    Updates,
    OwnDelegate,
    SessionsDelegate,
    Caller,
}

const FORMS: [Form; 6] = [
    Form::Closure,
    Form::Channel,
    Form::Updates,
    Form::OwnDelegate,
    Form::SessionsDelegate,
    Form::Caller,
];

/// One session and all that happens in it.
struct Round {
    session: Session,
    server: Arc<Server>,
    ends: Arc<Ends>,
    /// The session's own delegate.
    sessions: Arc<Ends>,
    tasks: Mutex<Vec<(Task, Form)>>,
    updates: Mutex<Vec<Updates>>,
    outcomes: Sender<Finished<Data>>,
}

impl Round {
    /// Makes a task; one with a caller is run on a thread of `scope`.
    fn make<'scope, 'env>(&'env self, dice: &mut Dice, scope: &'scope thread::Scope<'scope, 'env>) {
        let form = FORMS[dice.below(FORMS.len())];
        let url = self.server.url(&format!("/{}", dice.below(6)));
        let session = &self.session;
        let task = match form {
            Form::Closure => {
                // It does not know its own id before it is made.
                let (told, id) = (Arc::clone(&self.ends), Arc::new(AtomicUsize::new(0)));
                let its_id = Arc::clone(&id);
                let task = session.data_task_with(url, move |_| {
                    told.add(its_id.load(Ordering::SeqCst) as u64);
                });
                id.store(task.id() as usize, Ordering::SeqCst);
                task
            }
            Form::Channel => session.data_task_to(url, &self.outcomes),
            Form::Updates | Form::SessionsDelegate => session.data_task(url),
            Form::OwnDelegate => {
                let task = session.data_task(url);
                task.set_delegate(self.ends.clone()).unwrap();
                task
            }
            Form::Caller => {
                let task = session.data_task(url);
                let runs = task.clone();
                scope.spawn(move || {
                    let _ = runs.run();
                    self.ends.add(runs.id());
                });
                task
            }
        };
        if form == Form::Updates {
            self.updates.lock().unwrap().push(task.updates());
        }
        // A caller that comes too late finds that its task has begun; it does not begin here.
        self.tasks.lock().unwrap().push(((*task).clone(), form));
    }

    /// Does something to one of the tasks there are.
    fn act(&self, dice: &mut Dice) {
        let (task, form) = {
            let tasks = self.tasks.lock().unwrap();
            tasks[dice.below(tasks.len())].clone()
        };
        match dice.below(10) {
            // `run` is what begins one that has a caller.
            0..5 if form != Form::Caller || task.response().is_some() => drop(task.resume()),
            5..8 => task.suspend(),
            8 if dice.below(3) == 0 => task.cancel(),
            9 => task.set_priority(dice.below(100) as f32 / 100.0),
            _ => {}
        }
    }

    /// Has threads do what they like with the session, then everything go on that was
    /// suspended.
    fn run(&self, seed: u64, invalidates: usize) {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|number| {
                    scope.spawn(move || {
                        let mut dice = Dice::new(seed ^ (number as u64) << 48);
                        let moment = dice.below(TASKS_OF_A_THREAD);
                        for made in 0..TASKS_OF_A_THREAD {
                            self.make(&mut dice, scope);
                            (0..ACTS_PER_TASK).for_each(|_| self.act(&mut dice));
                            match invalidates {
                                1 if (number, made) == (0, moment) => {
                                    self.session.finish_tasks_and_invalidate();
                                }
                                2 if (number, made) == (0, moment) => {
                                    self.session.invalidate_and_cancel();
                                }
                                _ => {}
                            }
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let deadline = Instant::now() + HANG;
            for (task, form) in self.tasks.lock().unwrap().iter() {
                while task.state() == TaskState::Suspended {
                    task.resume();
                    if *form == Form::Caller {
                        // It may not have been begun by its caller yet.
                        assert!(Instant::now() < deadline, "{task:?} is never run");
                        thread::yield_now();
                    }
                }
            }
        });
    }

    /// Sees that each task was told once to have ended.
    fn check(&self, outcomes: Receiver<Finished<Data>>, case: &str) {
        for updates in self.updates.lock().unwrap().drain(..) {
            let id = updates.task().id();
            let mut is_last = false;
            for update in updates {
                assert!(!is_last, "{case}: something after the end of {id}");
                is_last = matches!(update, Update::Finished(_));
            }
            assert!(is_last, "{case}: no end of {id}");
            self.ends.add(id);
        }
        assert!(self.session.wait_until_idle(HANG), "{case}: {:?}", self.session.all_tasks());
        for finished in outcomes.try_iter() {
            self.ends.add(finished.id);
        }
        for (task, form) in self.tasks.lock().unwrap().drain(..) {
            assert_eq!(task.state(), TaskState::Completed, "{case}: {task:?}, {form:?}");
            let (own, sessions) = (self.ends.of(task.id()), self.sessions.of(task.id()));
            match form {
                // A session that was invalid already has no delegate to tell.
                Form::SessionsDelegate => {
                    let is_refused = own + sessions == 0 && task.error().is_some();
                    assert!(sessions == 1 || is_refused, "{case}: {task:?}: {sessions}");
                }
                _ => assert_eq!(own, 1, "{case}: {task:?}, {form:?}"),
            }
        }
    }
}

fn queue(number: usize) -> DeliveryQueue {
    match number % 3 {
        0 => DeliveryQueue::serial(),
        1 => DeliveryQueue::inline(),
        _ => {
            let (executor, jobs) = channel::<Box<dyn FnOnce() + Send>>();
            // Ends when the queue is gone.
            thread::spawn(move || jobs.into_iter().for_each(|job| job()));
            DeliveryQueue::custom(move |job| executor.send(job).unwrap())
        }
    }
}

fn session_in_which_all_happens(server: &Arc<Server>, number: usize, seed: u64) {
    let case = format!("session {number}");
    let sessions = Arc::new(Ends::default());
    let mut configuration = Configuration::ephemeral();
    configuration.maximum_connections_per_host = Some(6 + number);
    let session = Session::with_delegate(configuration, sessions.clone(), queue(number)).unwrap();
    let counters = Counters::of(&session);
    let (outcomes, received) = channel();
    let round = Round {
        session,
        server: Arc::clone(server),
        ends: Arc::default(),
        sessions: sessions.clone(),
        tasks: Mutex::default(),
        updates: Mutex::default(),
        outcomes,
    };
    let began = Instant::now();
    round.run(seed, number % 4);
    round.check(received, &case);
    drop(round);
    let deadline = Instant::now() + HANG;
    // The threads of an executor are the program's own.
    let told = || sessions.invalid.load(Ordering::SeqCst);
    while counters.threads() + counters.sockets() > 0 || told() == 0 {
        assert!(Instant::now() < deadline, "{case}: {counters:?}");
        thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!(told(), 1, "{case}");
    println!("{case}: {:?}", began.elapsed());
}

#[test]
fn ten_thousand_tasks_end_once_each_whatever_sixteen_threads_do() {
    let seed = seed();
    println!("seed {seed}; {} tasks", SESSIONS * THREADS * TASKS_OF_A_THREAD);
    let server = Arc::new(Server::builder().recording(false).start());
    server.handle(answer);
    for number in 0..SESSIONS {
        session_in_which_all_happens(&server, number, seed.wrapping_add(number as u64));
    }
}
