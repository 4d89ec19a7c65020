using System.Buffers;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>A body that is written straight into the connection, for example from mapped memory.</summary>
public interface IBodyWriter
{
    /// <summary>Bytes that <see cref="WriteTo"/> writes, exactly: they were announced to the peer before.</summary>
    int Length { get; }

    /// <summary>Called once, right after the header was written. Writing less or more, or throwing, ends the connection.</summary>
    void WriteTo(IBufferWriter<byte> output);
}

/// <summary>A body that lies in one piece of memory.</summary>
public readonly record struct MemoryBody(ReadOnlyMemory<byte> Bytes) : IBodyWriter
{
    public int Length => Bytes.Length;

    public void WriteTo(IBufferWriter<byte> output) => output.Write(Bytes.Span);
}
