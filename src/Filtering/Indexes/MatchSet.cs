using System.Numerics;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// Which subscriptions a message matches, in ascending order and each once: a bitmap, with a bitmap of its words that are not zero, and one
/// of that. Adding, walking and clearing cost what there is, not what there could be. Used again and again by one thread.
/// </summary>
public sealed class MatchSet
{
    private ulong[] _words = [];
    private ulong[] _groups = [];
    private ulong[] _blocks = [];

    public int Count { get; private set; }

    /// <summary>Tables that were asked for this answer.</summary>
    public int LookUps { get; internal set; }

    /// <summary>Conditions that were evaluated for this answer, because no table had them.</summary>
    public int Evaluations => Memo.Evaluations;

    internal ConditionMemo Memo { get; } = new();

    public bool Contains(int id) =>
        id >> 6 < _words.Length && (_words[id >> 6] & (1UL << id)) != 0;

    public void Add(int id)
    {
        ref ulong word = ref _words[id >> 6];
        ulong bit = 1UL << id;
        if ((word & bit) != 0)
        {
            return;
        }

        if (word == 0)
        {
            ref ulong group = ref _groups[id >> 12];
            if (group == 0)
            {
                _blocks[id >> 18] |= 1UL << (id >> 12);
            }

            group |= 1UL << (id >> 6);
        }

        word |= bit;
        Count++;
    }

    public void Clear()
    {
        for (int block = 0; block < _blocks.Length; block++)
        {
            for (ulong groups = _blocks[block]; groups != 0; groups &= groups - 1)
            {
                int group = (block << 6) + BitOperations.TrailingZeroCount(groups);
                for (ulong words = _groups[group]; words != 0; words &= words - 1)
                {
                    _words[(group << 6) + BitOperations.TrailingZeroCount(words)] = 0;
                }

                _groups[group] = 0;
            }

            _blocks[block] = 0;
        }

        Count = 0;
        LookUps = 0;
    }

    public Enumerator GetEnumerator() => new(this);

    /// <summary>Makes room for the ids below a limit; nothing may be in it.</summary>
    internal void Reserve(int limit)
    {
        if (_words.Length << 6 < limit)
        {
            int blocks = ((limit - 1) >> 18) + 1;
            int words = (int)BitOperations.RoundUpToPowerOf2((uint)(((limit - 1) >> 6) + 1));
            _words = new ulong[words];
            _groups = new ulong[((words - 1) >> 6) + 1];
            _blocks = new ulong[Math.Max(blocks, ((_groups.Length - 1) >> 6) + 1)];
        }
    }

    /// <summary>Walks the ids, ascending.</summary>
    public struct Enumerator
    {
        private readonly MatchSet _set;
        private int _block;
        private int _group;
        private int _word;
        private ulong _groups;
        private ulong _words;
        private ulong _bits;

        internal Enumerator(MatchSet set)
        {
            _set = set;
            _block = -1;
        }

        public int Current { get; private set; }

        public bool MoveNext()
        {
            while (_bits == 0)
            {
                while (_words == 0)
                {
                    while (_groups == 0)
                    {
                        if (++_block >= _set._blocks.Length)
                        {
                            return false;
                        }

                        _groups = _set._blocks[_block];
                    }

                    _group = (_block << 6) + BitOperations.TrailingZeroCount(_groups);
                    _groups &= _groups - 1;
                    _words = _set._groups[_group];
                }

                _word = (_group << 6) + BitOperations.TrailingZeroCount(_words);
                _words &= _words - 1;
                _bits = _set._words[_word];
            }

            Current = (_word << 6) + BitOperations.TrailingZeroCount(_bits);
            _bits &= _bits - 1;
            return true;
        }
    }
}
