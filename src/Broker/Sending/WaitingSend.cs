using GrayMQ.Protocol.Commands;
using GrayMQ.Store.Flushing;

namespace GrayMQ.Broker.Sending;

/// <summary>A send that is answered once it is on disk, and then used again for another: hundreds wait at a time.</summary>
internal sealed class WaitingSend(WaitingSends owner) : FlushWaiter
{
    // Those that clients make have 32 digits or fewer.
    private const int UsualKeyBytes = 64;

    private readonly byte[] _usualKey = new byte[UsualKeyBytes];
    private SendOutcome _outcome;
    private byte[] _key = [];
    private int _keyBytes;

    /// <summary>The next that lies unused; guarded by the owner's lock.</summary>
    public WaitingSend? NextUnused { get; set; }

    public void Start(MessageIntake intake, in SendOutcome outcome, ReadOnlySpan<byte> uniqueKey)
    {
        // What is in the request's buffers is gone by the time of the answer.
        _key = uniqueKey.Length <= UsualKeyBytes ? _usualKey : new byte[uniqueKey.Length];
        uniqueKey.CopyTo(_key);
        _keyBytes = uniqueKey.Length;
        _outcome = outcome;
        if (intake.WaitForFlush(outcome.Result.EndOffset, this) is { } ended)
        {
            OnFlushed(ended);
        }
    }

    /// <inheritdoc/>
    protected override void OnFlushed(FlushStatus status)
    {
        try
        {
            owner.Replies.Reply(in _outcome, MessageIntake.ToCode(status), _key.AsSpan(0, _keyBytes));
        }
        catch (Exception e)
        {
            _outcome.Responder.Reply(ResponseCode.SystemError, $"{e.GetType().Name}: {e.Message}");
        }

        _key = _usualKey;
        _outcome = default;
        owner.Give(this);
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
                _unused = send.NextUnused;
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
                send.NextUnused = _unused;
                _unused = send;
                _unusedCount++;
            }
        }
    }
}
