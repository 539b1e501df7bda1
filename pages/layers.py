import streamlit as st

st.title("Layers & shapes")
