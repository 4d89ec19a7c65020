using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using GrayMQ.Store.Flushing;

namespace GrayMQ.Broker.Sending;

/// <summary>
/// A send that is answered once it is on disk, and then used again for another: hundreds wait at a time, of which the runtime would keep a
/// state machine or two for each thread.
/// </summary>
internal sealed class WaitingSend : IValueTaskSource
{
    // Those that clients make have 32 digits or fewer.
    private const int UsualKeyBytes = 64;

    private readonly WaitingSends _owner;
    private readonly Action _flushed;
    private readonly byte[] _usualKey = new byte[UsualKeyBytes];
    private ManualResetValueTaskSourceCore<bool> _core;
    private ConfiguredValueTaskAwaitable<FlushStatus>.ConfiguredValueTaskAwaiter _flush;
    private SendOutcome _outcome;
    private byte[] _key;
    private int _keyBytes;

    public WaitingSend(WaitingSends owner)
    {
        _owner = owner;
        _flushed = OnFlushed;
        _key = _usualKey;
    }

    /// <summary>The next that lies unused; guarded by the owner's lock.</summary>
    public WaitingSend? Next { get; set; }

    /// <returns>Ends when the answer has been given.</returns>
    public ValueTask Start(ValueTask<FlushStatus> flush, in SendOutcome outcome, ReadOnlySpan<byte> uniqueKey)
    {
        // What is in the request's buffers is gone by the time of the answer.
        _key = uniqueKey.Length <= UsualKeyBytes ? _usualKey : new byte[uniqueKey.Length];
        uniqueKey.CopyTo(_key);
        _keyBytes = uniqueKey.Length;
        _outcome = outcome;
        short version = _core.Version;
        _flush = flush.ConfigureAwait(false).GetAwaiter();
        _flush.UnsafeOnCompleted(_flushed);
        return new ValueTask(this, version);
    }

    public void GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            _key = _usualKey;
            _outcome = default;
            _owner.Give(this);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void OnFlushed()
    {
        try
        {
            FlushStatus status = _flush.GetResult();
            _flush = default;
            _owner.Replies.Reply(in _outcome, MessageIntake.ToCode(status), _key.AsSpan(0, _keyBytes));
            _core.SetResult(true);
        }
        catch (Exception e)
        {
            _core.SetException(e);
        }
    }
}

/// <summary>The sends that wait for the disk, and those that did and lie ready.</summary>
internal sealed class WaitingSends(SendReplies replies)
{
    // More at a time are left to the garbage collector.
    private const int MaxUnused = 4_096;

    private readonly Lock _lock = new();
    private WaitingSend? _unused;
    private int _unusedCount;

    public SendReplies Replies => replies;

    public WaitingSend Take()
    {
        lock (_lock)
        {
            if (_unused is { } send)
            {
                _unused = send.Next;
                _unusedCount--;
                return send;
            }
        }

        return new WaitingSend(this);
    }

    public void Give(WaitingSend send)
    {
        lock (_lock)
        {
            if (_unusedCount < MaxUnused)
            {
                send.Next = _unused;
                _unused = send;
                _unusedCount++;
            }
        }
    }
}
