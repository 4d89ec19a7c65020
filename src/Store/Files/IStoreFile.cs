namespace GrayMQ.Store.Files;

/// <summary>An open file. Mappings outlive it.</summary>
public interface IStoreFile : IDisposable
{
    long Length { get; }

    /// <summary>
    /// Reserves blocks for a range, growing the file if needed, so that no later write to the range can fail for want of
    /// space. Throws <see cref="NoSpaceException"/>.
    /// </summary>
    void Allocate(long offset, long length);

    /// <summary>Makes a range read as zeros, with its blocks reserved, whatever stood there. Throws <see cref="NoSpaceException"/>.</summary>
    void ClearRange(long offset, long length);

    /// <summary>Sets the length without reserving blocks; what is cut off is gone, what is added reads as zeros.</summary>
    void SetLength(long length);

    /// <summary>Reads up to the end of the file; returns how much.</summary>
    int Read(long offset, Span<byte> destination);

    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Makes content and length durable. Throws <see cref="FlushFailedException"/>.</summary>
    void Flush();

    /// <summary>
    /// Maps the first <paramref name="length"/> bytes for reading and writing, shared with the file. Without
    /// <paramref name="readAhead"/> only the pages touched are brought in, and none is kept for being used often: a first touch of a sparse file is
    /// else dear.
    /// </summary>
    IMappedRegion Map(long length, bool readAhead);
}

/// <summary>A piece of memory that is a file.</summary>
public interface IMappedRegion : IDisposable
{
    nint Address { get; }

    long Length { get; }

    /// <summary>
    /// Lets go of a range that was written here, which costs less to flush then. It stays in the file and in memory, and is found again by
    /// whoever touches it.
    /// </summary>
    void LetGo(long offset, long length);

    /// <summary>Makes a range durable (the pages that hold it). Throws <see cref="FlushFailedException"/>: nothing is known of them any more.</summary>
    void Flush(long offset, long length);
}

/// <summary>No space left on the device, or the quota is used up.</summary>
public sealed class NoSpaceException : IOException
{
    public NoSpaceException()
    {
    }

    public NoSpaceException(string message)
        : base(message)
    {
    }

    public NoSpaceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// What was written may not be on disk, and no later flush will say so: the kernel reports it once. Other failures around a
/// flush (the file cannot be opened or mapped) are none of these, and can be tried again.
/// </summary>
public sealed class FlushFailedException : IOException
{
    public FlushFailedException()
    {
    }

    public FlushFailedException(string message)
        : base(message)
    {
    }

    public FlushFailedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
