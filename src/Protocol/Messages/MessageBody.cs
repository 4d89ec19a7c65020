using System.Buffers;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// A message's body where it is found: in the pieces of a connection's buffers, or in one piece, like that of a record in the
/// log which is stored again. Only borrowed for a call.
/// </summary>
public readonly ref struct MessageBody
{
    private readonly ReadOnlySpan<byte> _whole;
    private readonly ReadOnlySequence<byte> _pieces;

    public MessageBody(ReadOnlySpan<byte> whole) => _whole = whole;

    public MessageBody(scoped in ReadOnlySequence<byte> pieces)
    {
        if (pieces.IsSingleSegment)
        {
            _whole = pieces.FirstSpan;
        }
        else
        {
            _pieces = pieces;
        }
    }

    /// <summary>Bytes.</summary>
    public long Length => _whole.Length + _pieces.Length;

    public static implicit operator MessageBody(scoped in ReadOnlySequence<byte> pieces) => new(in pieces);

    public static implicit operator MessageBody(ReadOnlySpan<byte> whole) => new(whole);

    /// <summary>Walks the pieces in order.</summary>
    public Enumerator GetEnumerator() => new(this);

    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _whole;
        private ReadOnlySequence<byte>.Enumerator _pieces;
        private bool _wholeSeen;

        internal Enumerator(MessageBody body)
        {
            _whole = body._whole;
            _pieces = body._pieces.GetEnumerator();
        }

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (!_wholeSeen)
            {
                _wholeSeen = true;
                if (!_whole.IsEmpty)
                {
                    Current = _whole;
                    return true;
                }
            }

            if (!_pieces.MoveNext())
            {
                return false;
            }

            Current = _pieces.Current.Span;
            return true;
        }
    }
}
