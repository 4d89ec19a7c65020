using System.Diagnostics.CodeAnalysis;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// Intervals of numbers, each with what lies behind it: a search tree by lower end that knows the highest upper end below every node, and
/// is kept in balance by random priorities (a treap). Immutable; a change copies the path to it. Null is the empty tree.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "Tree is what it is.")]
internal sealed class IntervalTree
{
    private readonly uint _priority;

    private IntervalTree(NumberKey low, NumberKey high, IndexNode node, uint priority, IntervalTree? left, IntervalTree? right)
    {
        Low = low;
        High = high;
        Node = node;
        _priority = priority;
        Left = left;
        Right = right;
        Highest = high;
        if (left is not null && left.Highest > Highest)
        {
            Highest = left.Highest;
        }

        if (right is not null && right.Highest > Highest)
        {
            Highest = right.Highest;
        }
    }

    public NumberKey Low { get; }

    public NumberKey High { get; }

    public IndexNode Node { get; }

    public NumberKey Highest { get; }

    public IntervalTree? Left { get; }

    public IntervalTree? Right { get; }

    public static IndexNode? Find(IntervalTree? tree, NumberKey low, NumberKey high)
    {
        while (tree is not null)
        {
            int order = tree.Order(low, high);
            if (order == 0)
            {
                return tree.Node;
            }

            tree = order < 0 ? tree.Left : tree.Right;
        }

        return null;
    }

    /// <summary>The tree with something else behind an interval, which may be new.</summary>
    public static IntervalTree With(IntervalTree? tree, NumberKey low, NumberKey high, IndexNode node)
    {
        if (tree is null)
        {
            // Nobody outside can choose intervals of the same priority, which would be a list.
            uint priority = Utf8Hash.Of(((long)Utf8Hash.Of(low.High, low.Low) << 32) | Utf8Hash.Of(high.High, high.Low), 0);
            return new IntervalTree(low, high, node, priority, null, null);
        }

        int order = tree.Order(low, high);
        if (order == 0)
        {
            return new IntervalTree(low, high, node, tree._priority, tree.Left, tree.Right);
        }

        if (order < 0)
        {
            IntervalTree left = With(tree.Left, low, high, node);
            return left._priority > tree._priority
                ? left.With(left.Left, tree.With(left.Right, tree.Right))
                : tree.With(left, tree.Right);
        }

        IntervalTree right = With(tree.Right, low, high, node);
        return right._priority > tree._priority
            ? right.With(tree.With(tree.Left, right.Left), right.Right)
            : tree.With(tree.Left, right);
    }

    public static IntervalTree? Without(IntervalTree? tree, NumberKey low, NumberKey high)
    {
        if (tree is null)
        {
            return null;
        }

        int order = tree.Order(low, high);
        return order == 0 ? Join(tree.Left, tree.Right)
            : order < 0 ? tree.With(Without(tree.Left, low, high), tree.Right)
            : tree.With(tree.Left, Without(tree.Right, low, high));
    }

    private static IntervalTree? Join(IntervalTree? left, IntervalTree? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        return left._priority > right._priority
            ? left.With(left.Left, Join(left.Right, right))
            : right.With(Join(left, right.Left), right.Right);
    }

    private IntervalTree With(IntervalTree? left, IntervalTree? right) => new(Low, High, Node, _priority, left, right);

    private int Order(NumberKey low, NumberKey high)
    {
        int order = low.CompareTo(Low);
        return order != 0 ? order : high.CompareTo(High);
    }
}
