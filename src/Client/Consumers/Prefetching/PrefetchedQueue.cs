using GrayMQ.Client.Consumers.Pulling;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Prefetching;

/// <summary>
/// What a pull consumer has fetched of a queue ahead of being polled, and its three positions in it: up to where it is handled, up to where
/// it is polled, and where to pull next.
/// </summary>
internal sealed class PrefetchedQueue : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<ReceivedMessage> _messages = new();
    private readonly Pulse _changed;
    private CancellationTokenSource _pull = new();
    private long _bytes;
    private long _handledTo;
    private long _polledTo;
    private long _pullFrom;
    private int _seeks;
    private bool _paused;

    public PrefetchedQueue(MessageQueue queue, long start, TimeProvider time)
    {
        Queue = queue;
        _handledTo = _polledTo = _pullFrom = start;
        _changed = new Pulse(time);
    }

    public MessageQueue Queue { get; }

    /// <summary>The offset up to which the application is done.</summary>
    public long HandledTo
    {
        get
        {
            lock (_lock)
            {
                return _handledTo;
            }
        }
    }

    public bool IsPaused
    {
        get
        {
            lock (_lock)
            {
                return _paused;
            }
        }
    }

    /// <summary>What is to be pulled now; null while there is no room, or the queue is paused.</summary>
    public PullTicket? NextPull(int maxMessages, long maxBytes)
    {
        lock (_lock)
        {
            return _paused || _messages.Count > maxMessages || _bytes > maxBytes
                ? null
                : new PullTicket(_pullFrom, _seeks, _pull.Token);
        }
    }

    /// <summary>Takes in what a pull brought, unless somebody has sought since it began; returns whether there is something to poll.</summary>
    public bool Accept(PullTicket ticket, PullResult result)
    {
        lock (_lock)
        {
            if (ticket.Seeks != _seeks)
            {
                return false;
            }

            foreach (ReceivedMessage message in result.Messages)
            {
                _messages.Enqueue(message);
                _bytes += message.Body.Length;
            }

            _pullFrom = result.NextOffset;
            if (_messages.Count == 0)
            {
                // Nothing in between was meant for this consumer.
                bool wasHandled = _handledTo == _polledTo;
                _polledTo = _pullFrom;
                _handledTo = wasHandled ? _polledTo : _handledTo;
            }

            return _messages.Count > 0;
        }
    }

    /// <summary>Hands out messages, in their order.</summary>
    public void Take(List<ReceivedMessage> into, int most)
    {
        lock (_lock)
        {
            if (_paused || _messages.Count == 0 || most == 0)
            {
                return;
            }

            for (int i = 0; i < most && _messages.TryDequeue(out ReceivedMessage? message); i++)
            {
                _bytes -= message.Body.Length;
                into.Add(message);
            }

            _polledTo = _messages.TryPeek(out ReceivedMessage? next) ? next.QueueOffset : _pullFrom;
        }

        _changed.Wake();
    }

    /// <summary>What was polled is done.</summary>
    public void MarkHandled()
    {
        lock (_lock)
        {
            _handledTo = _polledTo;
        }
    }

    /// <summary>Goes on elsewhere: what was fetched is forgotten.</summary>
    public void Seek(long offset)
    {
        CancellationTokenSource pull;
        lock (_lock)
        {
            _messages.Clear();
            _bytes = 0;
            _handledTo = _polledTo = _pullFrom = offset;
            _seeks++;
            pull = _pull;
            _pull = new CancellationTokenSource();
        }

        // A pull may be waiting at the broker for messages at the old place.
        pull.Cancel();
        pull.Dispose();
        _changed.Wake();
    }

    public void Pause(bool paused)
    {
        lock (_lock)
        {
            _paused = paused;
        }

        _changed.Wake();
    }

    /// <summary>Returns when there may be something to pull, at the latest after the time given.</summary>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancel) => _changed.WaitAsync(atMost, cancel);

    public void Dispose() => _pull.Dispose();
}

/// <summary>Leave to pull once.</summary>
/// <param name="Offset">Where.</param>
/// <param name="Seeks">How often the queue had been sought by then.</param>
/// <param name="Sought">Cancelled when it is sought again.</param>
internal readonly record struct PullTicket(long Offset, int Seeks, CancellationToken Sought);
