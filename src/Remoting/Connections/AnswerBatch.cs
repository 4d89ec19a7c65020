using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// The answers without bodies that the thread which reads requests gives itself: they gather outside the output's lock, one behind the
/// other, until they are written in one go. Used by that thread alone; what others see of it is that it is not theirs.
/// </summary>
internal sealed class AnswerBatch
{
    // Answers gather up to so many bytes.
    private const int MaxBytes = 16 * 1024;

    // Lent to the connection whose requests the thread is just reading.
    [ThreadStatic]
    private static HeaderBuffer? _threadBuffer;

    private HeaderBuffer? _buffer;
    private Action? _workBefore;
    private int _thread;

    /// <summary>Where the thread between <see cref="Begin"/> and <see cref="End"/> puts its answers; null for every other thread.</summary>
    public HeaderBuffer? Buffer => _thread == Environment.CurrentManagedThreadId ? _buffer : null;

    /// <summary>What has gathered is to be written before more does. For the thread that it is for.</summary>
    public bool IsFull => _buffer!.Length >= MaxBytes;

    public void Begin()
    {
        _buffer = _threadBuffer ?? new HeaderBuffer();
        _threadBuffer = null;
        _thread = Environment.CurrentManagedThreadId;
    }

    /// <summary>
    /// Has work done before what has gathered is written, and at the end; false where the calling thread reads no requests, or other work is
    /// to be done.
    /// </summary>
    public bool TryDoBefore(Action work)
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
        Action? work = _workBefore;
        _workBefore = null;
        work?.Invoke();
    }

    /// <summary>Once all that has gathered is written: the buffer goes on to the connection that the thread reads next.</summary>
    public void End()
    {
        _thread = 0;
        _threadBuffer = _buffer;
        _buffer = null;
    }
}
