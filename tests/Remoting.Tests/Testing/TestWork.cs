using System.Collections.Concurrent;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>Work of a batch, done at once, or by the pool where it may be done with that of others.</summary>
internal sealed class TestWork(Action run, bool withOthers = false) : IBatchWork
{
    private int _timesWithOthers;

    public int TimesWithOthers => Volatile.Read(ref _timesWithOthers);

    public void Run() => run();

    public bool TryRunWithOthers(Action<Exception?> done)
    {
        if (withOthers)
        {
            Interlocked.Increment(ref _timesWithOthers);
            ThreadPool.QueueUserWorkItem(_ =>
            {
                run();
                done(null);
            });
        }

        return withOthers;
    }
}

/// <summary>Work that is done when the test says so, for all who wait for it.</summary>
internal sealed class SharedTestWork : IBatchWork
{
    public ConcurrentQueue<Action<Exception?>> Waiting { get; } = new();

    public void Run() => throw new InvalidOperationException("it is to be done with others");

    public bool TryRunWithOthers(Action<Exception?> done)
    {
        Waiting.Enqueue(done);
        return true;
    }
}
