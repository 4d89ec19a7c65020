using System.Numerics;
using GrayMQ.Filtering.Numbers;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// From the values of one property to what lies behind them: a hash trie of 32 branches a level. Immutable; a change copies the path to
/// it, a few small arrays whatever the size. Keys are texts, or numbers read in one way.
/// </summary>
internal sealed class HashTrie
{
    private const int BitsPerLevel = 5;
    private const int HashBits = 32;

    private readonly uint _bitmap;

    // Tries and leaves, without gaps.
    private readonly object[] _children;

    private HashTrie(uint bitmap, object[] children)
    {
        _bitmap = bitmap;
        _children = children;
    }

    public static HashTrie Empty { get; } = new(0, []);

    public bool IsEmpty => _bitmap == 0;

    public IEnumerable<Leaf> Leaves
    {
        get
        {
            foreach (object child in _children)
            {
                if (child is HashTrie trie)
                {
                    foreach (Leaf leaf in trie.Leaves)
                    {
                        yield return leaf;
                    }
                }

                for (var leaf = child as Leaf; leaf is not null; leaf = leaf.Next)
                {
                    yield return leaf;
                }
            }
        }
    }

    public IndexNode? Find(uint hash, ReadOnlySpan<byte> text)
    {
        for (Leaf? leaf = FindLeaf(hash); leaf is not null; leaf = leaf.Next)
        {
            if (leaf.Hash == hash && text.SequenceEqual(leaf.Text))
            {
                return leaf.Node;
            }
        }

        return null;
    }

    public IndexNode? Find(uint hash, NumberKey number)
    {
        for (Leaf? leaf = FindLeaf(hash); leaf is not null; leaf = leaf.Next)
        {
            if (leaf.Number == number)
            {
                return leaf.Node;
            }
        }

        return null;
    }

    /// <summary>The trie with a node behind a key, or without the key when the node is empty.</summary>
    public HashTrie Put(Leaf key, IndexNode node) => node.IsEmpty ? Without(key, 0) : With(key with { Node = node }, 0);

    private Leaf? FindLeaf(uint hash)
    {
        HashTrie trie = this;
        for (int shift = 0; ; shift += BitsPerLevel)
        {
            uint bit = 1u << (int)((hash >> shift) & 31);
            if ((trie._bitmap & bit) == 0)
            {
                return null;
            }

            object child = trie._children[BitOperations.PopCount(trie._bitmap & (bit - 1))];
            if (child is Leaf leaf)
            {
                return leaf;
            }

            trie = (HashTrie)child;
        }
    }

    private HashTrie With(Leaf leaf, int shift)
    {
        uint bit = 1u << (int)((leaf.Hash >> shift) & 31);
        int at = BitOperations.PopCount(_bitmap & (bit - 1));
        if ((_bitmap & bit) == 0)
        {
            return new HashTrie(_bitmap | bit, [.. _children.AsSpan(0, at), leaf, .. _children.AsSpan(at)]);
        }

        object child = _children[at] switch
        {
            HashTrie trie => trie.With(leaf, shift + BitsPerLevel),
            Leaf there when there.Hash == leaf.Hash => there.Without(leaf) is { } others ? leaf with { Next = others } : leaf,
            var there => Pair((Leaf)there, leaf, shift + BitsPerLevel),
        };
        return Replace(at, child);
    }

    // Two hashes that differ part ways before their bits are used up.
    private static HashTrie Pair(Leaf first, Leaf second, int shift)
    {
        int a = (int)((first.Hash >> shift) & 31);
        int b = (int)((second.Hash >> shift) & 31);
        return a == b
            ? new HashTrie(1u << a, [shift < HashBits ? Pair(first, second, shift + BitsPerLevel) : second with { Next = first }])
            : new HashTrie((1u << a) | (1u << b), a < b ? [first, second] : [second, first]);
    }

    private HashTrie Without(Leaf key, int shift)
    {
        uint bit = 1u << (int)((key.Hash >> shift) & 31);
        int at = BitOperations.PopCount(_bitmap & (bit - 1));
        if ((_bitmap & bit) == 0)
        {
            return this;
        }

        object? child = _children[at] switch
        {
            HashTrie trie => trie.Without(key, shift + BitsPerLevel) is { IsEmpty: false } rest ? rest : null,
            var leaf => ((Leaf)leaf).Without(key),
        };
        return child is not null
            ? Replace(at, child)
            : new HashTrie(_bitmap & ~bit, [.. _children.AsSpan(0, at), .. _children.AsSpan(at + 1)]);
    }

    private HashTrie Replace(int at, object child)
    {
        object[] children = [.. _children];
        children[at] = child;
        return new HashTrie(_bitmap, children);
    }

    /// <summary>A key and what lies behind it; leaves of the same hash are chained.</summary>
    /// <param name="Hash">Of the key.</param>
    /// <param name="Text">The key, when it is a text.</param>
    /// <param name="Number">The key, when it is a number.</param>
    /// <param name="Node">What lies behind it.</param>
    public sealed record Leaf(uint Hash, byte[]? Text, NumberKey Number, IndexNode Node)
    {
        public Leaf? Next { get; init; }

        /// <summary>The chain without the leaf of a key; null when nothing else is in it.</summary>
        public Leaf? Without(Leaf key)
        {
            if (Number == key.Number && Text.AsSpan().SequenceEqual(key.Text))
            {
                return Next;
            }

            return Next is null ? this : this with { Next = Next.Without(key) };
        }
    }
}
