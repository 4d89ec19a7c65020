using System.Threading.Tasks.Sources;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// The answers without bodies that the thread which reads requests gives itself: they gather outside the output's lock, one behind the
/// other, until they are written in one go. Used by that thread alone, and while the work is waited for that they stand on, by none; what
/// others see of it is that it is not theirs.
/// </summary>
internal sealed class AnswerBatch : IValueTaskSource
{
    // Answers gather up to so many bytes.
    private const int MaxBytes = 16 * 1024;

    // Of connections that went on by another thread, which had one.
    private static readonly BufferStack Unused = new();

    // Lent to the connection whose requests the thread is just reading.
    [ThreadStatic]
    private static HeaderBuffer? _threadBuffer;

    private readonly Action<Exception?> _workDone;
    private ManualResetValueTaskSourceCore<bool> _waiting;
    private HeaderBuffer? _buffer;
    private IBatchWork? _workBefore;
    private Exception? _failure;
    private int _thread;

    public AnswerBatch()
    {
        _workDone = WorkDone;
        _waiting.RunContinuationsAsynchronously = true;
    }

    /// <summary>Where the thread between <see cref="Begin"/> and <see cref="End"/> puts its answers; null for every other thread.</summary>
    public HeaderBuffer? Buffer => _thread == Environment.CurrentManagedThreadId ? _buffer : null;

    /// <summary>What has gathered is to be written before more does. For the thread that it is for.</summary>
    public bool IsFull => _buffer!.Length >= MaxBytes;

    /// <summary>Whether there is work to be done before what has gathered is written. For the thread that it is for.</summary>
    public bool HasWork => _workBefore is not null;

    public void Begin()
    {
        _buffer = _threadBuffer ?? Unused.TryPop() ?? new HeaderBuffer();
        _threadBuffer = null;
        _thread = Environment.CurrentManagedThreadId;
    }

    /// <summary>
    /// Has work done before what has gathered is written, and at the end; false where the calling thread reads no requests, or other work is
    /// to be done.
    /// </summary>
    public bool TryDoBefore(IBatchWork work)
    {
        if (Buffer is null || (_workBefore is not null && !ReferenceEquals(_workBefore, work)))
        {
            return false;
        }

        _workBefore = work;
        return true;
    }

    /// <summary>Does the work that is to be done by now; throws what it throws, and then no answer that has gathered is true.</summary>
    public void DoWork()
    {
        IBatchWork? work = _workBefore;
        _workBefore = null;
        work?.Run();
    }

    /// <summary>
    /// Has the work done that is to be done by now, together with that of other connections, unless that is as good as done. Until that is over
    /// nothing can be answered by the batch; then <see cref="Resume"/> comes first, on whatever thread that is. Never throws.
    /// </summary>
    public ValueTask DoWorkWithOthersAsync()
    {
        if (_workBefore is not { } work)
        {
            return ValueTask.CompletedTask;
        }

        _waiting.Reset();
        _thread = 0;
        if (work.TryRunWithOthers(_workDone))
        {
            _workBefore = null;
            return new ValueTask(this, _waiting.Version);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The calling thread is the one that goes on. Returns what was thrown by the work that was done with others.</summary>
    public Exception? Resume()
    {
        _thread = Environment.CurrentManagedThreadId;
        Exception? failure = _failure;
        _failure = null;
        return failure;
    }

    /// <summary>Once all that has gathered is written: the buffer goes on to the connection that the thread reads next.</summary>
    public void End()
    {
        _thread = 0;
        if (_threadBuffer is null)
        {
            _threadBuffer = _buffer;
        }
        else
        {
            Unused.Push(_buffer!);
        }

        _buffer = null;
    }

    void IValueTaskSource.GetResult(short token) => _waiting.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _waiting.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiting.OnCompleted(continuation, state, token, flags);

    private void WorkDone(Exception? failure)
    {
        _failure = failure;
        _waiting.SetResult(true);
    }
}
