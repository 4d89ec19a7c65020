using System.Runtime.CompilerServices;

namespace GrayMQ.Protocol.Commands;

/// <summary>A growing array that headers are written into before their length is known; kept and used again by one thread at a time.</summary>
public sealed class HeaderBuffer
{
    private const int InitialBytes = 512;
    private const int MaxKeptBytes = 64 * 1024;

    private byte[] _bytes = new byte[InitialBytes];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > MaxKeptBytes)
        {
            _bytes = new byte[InitialBytes];
        }
    }

    /// <summary>Forgets what was written behind <paramref name="length"/> bytes.</summary>
    public void CutTo(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length, nameof(length));
        Length = length;
    }

    /// <summary>Room for <paramref name="bytes"/> more bytes, taken into use by <see cref="Advance"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<byte> Reserve(int bytes)
    {
        if (_bytes.Length - Length < bytes)
        {
            Grow(bytes);
        }

        return _bytes.AsSpan(Length);
    }

    internal void Advance(int bytes) => Length += bytes;

    internal Span<byte> At(int offset) => _bytes.AsSpan(offset, Length - offset);

    // Of what the code itself writes the length is known when it is compiled, and the copy becomes a few moves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    private void Grow(int bytes) => Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + bytes));
}
